"""How much of everything."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    users: int = 10_000
    many_users: int = 1_000_000
    deliveries: int = 1_000_000
    inbox: int = 100_000
    connected: int = 5_000

    def divided(self, by: int) -> "Sizes":
        """As much as a trial of the benchmark itself takes."""
        return Sizes(**{name: value // by for name, value in vars(self).items()})
