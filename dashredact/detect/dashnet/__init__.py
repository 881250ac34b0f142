"""The shipped detector: its network, weights, preprocessing, start-up canary and engines."""
