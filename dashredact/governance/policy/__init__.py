"""The policy file: its form, its faults, its gates, and the admission of each video."""
