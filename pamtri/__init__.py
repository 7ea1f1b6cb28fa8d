"""The language the stages share: keypoints, attributes, camera geometry, records and data sets.

Nothing here imports ``bpy`` or ``torch``.
"""

__version__ = "0.1.0"
