"""The test project with pages of its own: a bell alone, under a strict policy, on a foreign site."""
