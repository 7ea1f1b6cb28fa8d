"""Vehicles from other people's meshes: brought into the vehicle frame, painted and labelled."""
