"""What every test may ask for. The services are in `tests/services/`, one a module."""
