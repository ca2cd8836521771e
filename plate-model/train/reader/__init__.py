"""The plate reader: one rectified plate in, ten character slots out."""
