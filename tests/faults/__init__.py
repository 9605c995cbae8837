"""The live part while processes die, Redis vanishes and networks stall. `python -m tests.faults` runs it for longer."""
