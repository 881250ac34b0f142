"""What is deleted or encrypted, when, and what must be true before."""
