"""Pickles read as data: a machine for the format, and an allow-list of what its names stand for."""
