"""Draws the sample clip `street.mp4`, its ground truth and the canary picture of the weights."""
