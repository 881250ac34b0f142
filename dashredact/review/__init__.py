"""People look at what was masked: what waits for them, what they decide, and the files that corrections make."""
