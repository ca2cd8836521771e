"""Trains the three small models of plate-model: vehicles, finder, reader."""
