"""What is put in front of the camera: vehicles, paints, occluders, environments. No bpy here."""
