"""The multi-task re-identification network: which vehicle, of which colour and type."""
