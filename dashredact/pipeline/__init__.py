"""One video, from source to verified file: probe, detect, track, render, join, verify, recheck."""
