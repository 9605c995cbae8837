"""Positions rise strictly within a process and compare as text."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from stored_messages import STORED_INFO, add_message_for
from tests.inbox.inboxes import draft

THREADS = 8
EACH = 500


def test_they_rise_and_compare_as_text():
    positions = [draft().position for _ in range(5_000)]

    assert positions == sorted(set(positions))
    assert {len(position) for position in positions} == {16}
    assert set("".join(positions)) <= set("0123456789abcdef")


def test_threads_share_one_order():
    together = Barrier(THREADS)

    def run():
        together.wait()
        return [draft().position for _ in range(EACH)]

    with ThreadPoolExecutor(THREADS) as threads:
        runs = [future.result() for future in [threads.submit(run) for _ in range(THREADS)]]

    for positions in runs:
        assert positions == sorted(positions)
    assert len({position for positions in runs for position in positions}) == THREADS * EACH


def test_stamps_are_random_numbers_of_32_bits():
    stamps = [draft().stamp for _ in range(5_000)]

    assert all(0 < stamp < 2**32 for stamp in stamps)
    assert len(set(stamps)) > 4_990


@pytest.mark.django_db(transaction=True)
def test_what_threads_send_at_once_arrives_whole_and_in_one_order(backend, ada):
    together = Barrier(4)

    def run(number):
        try:
            together.wait()
            return [
                add_message_for([ada], STORED_INFO, f"{number}-{i}").position for i in range(10)
            ]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        runs = list(threads.map(run, range(4)))

    inbox = backend.inbox_list(ada)
    assert [message.position for message in inbox] == sorted(
        position for positions in runs for position in positions
    )
    assert len({message.message for message in inbox}) == 40
