"""Masks faces and licence plates in dashcam footage, in bulk, and accounts for every output."""

__version__ = "0.1.0"
