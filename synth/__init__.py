"""Configuration, seed and index become a scene description, then pixels, then a labelled record."""
