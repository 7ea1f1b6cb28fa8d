"""The Cycles renderer. Only modules in this folder import ``bpy``, which is GPL-3."""
