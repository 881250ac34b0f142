"""Detections become tracks: association, motion, bridging, extension, zones. Boxes only: no pixels, no files."""
