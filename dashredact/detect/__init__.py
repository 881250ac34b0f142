"""Every tensor."""
