"""The live part: what happens to inboxes reaches every open tab through Django Channels."""
