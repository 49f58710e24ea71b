"""Commands that fit cards."""
