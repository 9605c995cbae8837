"""How much of everything, and in a trial."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sizes:
    rounds: int = 5
    ladder: tuple[int, ...] = (300, 1_000, 2_000, 3_000, 5_000)
    promised: tuple[int, ...] = (1_000, 3_000)
    some: int = 1_000
    many: int = 2_000
    users: tuple[int, ...] = (1_000, 2_000, 5_000)
    unicasts: int = 600
    flood: int = 3_000
    #: As long as all sessions are looked at once, and the garbage collector has been round.
    seconds: float = 60.0

    def quick(self) -> "Sizes":
        return replace(
            self,
            rounds=1,
            ladder=(100, 200),
            promised=(200,),
            some=100,
            many=200,
            users=(100, 200),
            unicasts=30,
            flood=300,
            seconds=10.0,
        )
