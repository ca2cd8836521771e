"""The plate finder: a vehicle's crop in, plate corners out."""
