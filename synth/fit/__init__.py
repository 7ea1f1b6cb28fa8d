"""Bringing a configuration's renders close to a folder of unlabelled photographs."""
