"""Containers, packets, frames and codecs: every child process but the workers, and every codec."""
