"""Who waits for Redis is told from who is slow because the machine is."""

import pytest

from tests.faults.promptness import Promptness, Write

FROZEN = [(100.0, 105.5)]
BEFORE, MEANWHILE, SHORTLY_BEFORE_THE_END = 50.0, 101.0, 104.0


def judged(usual: float, meanwhile: float) -> Promptness:
    promptness = Promptness()
    for number in range(10):
        promptness.add([Write("worker-1", "send", BEFORE + number, usual)], FROZEN)
        promptness.add([Write("worker-1", "send", MEANWHILE + number / 10, meanwhile)], FROZEN)
        promptness.add([Write("server-0", "send", SHORTLY_BEFORE_THE_END, 1.5)], FROZEN)
    return promptness


@pytest.mark.parametrize(("usual", "meanwhile"), [(0.02, 0.02), (0.1, 0.9), (1.0, 3.0)])
def test_a_slow_machine_is_no_reason_to_complain(usual: float, meanwhile: float) -> None:
    judged(usual, meanwhile).judge()


@pytest.mark.parametrize("usual", [0.02, 0.1, 0.3])
def test_who_waits_for_redis_is_found_out(usual: float) -> None:
    with pytest.raises(AssertionError, match="writers wait for Redis"):
        judged(usual, usual + 2.0).judge()


def test_a_few_writes_say_nothing() -> None:
    promptness = Promptness()
    promptness.add([Write("server-0", "send", MEANWHILE, 5.0)], FROZEN)
    promptness.judge()
