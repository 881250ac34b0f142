"""One file for each runtime that can run dashnet."""
