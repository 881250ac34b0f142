"""Arithmetic on pictures and boxes: arrays in, arrays out."""
