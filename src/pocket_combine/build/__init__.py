"""From the histograms of an output to the templates of a card."""
