"""Datacards: the model, text in and out, their templates, combination and edits.

`model` holds the values; `parser` and `writer` turn text into them and back; `load` reads the templates that a card
names; `combination` joins cards; `renaming` and `editing` change a card and its templates; `pair` writes both.
"""
