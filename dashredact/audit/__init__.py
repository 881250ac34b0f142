"""The audit log: its events, its hash chain, its head, its signatures, and what it says of each clip."""
