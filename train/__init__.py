"""Pose and re-identification networks, and how they learn from real and synthetic data."""
