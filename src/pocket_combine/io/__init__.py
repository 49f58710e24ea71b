"""Boundaries to bytes: `.coffea` outputs and ROOT files."""
