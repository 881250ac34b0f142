"""Pages about an output folder: its audit log against what lies on the disk."""
