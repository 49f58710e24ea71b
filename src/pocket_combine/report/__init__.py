"""One page with the whole statistical step of a card."""
