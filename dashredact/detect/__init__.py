"""Detectors: pictures in, boxes of faces and plates out. The only package that imports a neural network runtime."""
