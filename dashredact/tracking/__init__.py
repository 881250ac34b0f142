"""Detections become tracks: which are of one object, how it moves, where its mask goes on. No pixel, no file."""
