"""One video: probe, detect, track, render, join, verify, look again."""
