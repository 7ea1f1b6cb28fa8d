"""Pose and multi-task re-identification networks, and how they learn from real and synthetic data."""
