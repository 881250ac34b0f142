"""What leaves the folder: exports, copies for one person, reports of a leak."""
