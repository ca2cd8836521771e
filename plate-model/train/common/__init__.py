"""What the three training rooms share."""
