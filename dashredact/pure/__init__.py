"""Arithmetic over values: no file, no process, no clock, no torch."""
