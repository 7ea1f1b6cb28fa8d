"""The pose network: 36 keypoints of a vehicle from one picture."""
