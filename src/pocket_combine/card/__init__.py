"""Datacards: the model, and text in and out."""
