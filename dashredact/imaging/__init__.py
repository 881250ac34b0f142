"""Functions on pictures, planes and boxes: arrays in, arrays out."""
