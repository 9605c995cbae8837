"""An app with users whose keys are no numbers."""
