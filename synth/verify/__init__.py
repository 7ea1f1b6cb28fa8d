"""Whether a finished data set is what its configuration promises: ``pamtri synth check``."""
