"""The recipe of the default weights; see README.md beside this file."""
