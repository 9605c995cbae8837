"""What the live part is compared with."""
