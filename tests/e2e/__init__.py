"""What a person sees: real browsers, real servers, and nothing in between."""
