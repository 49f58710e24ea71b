"""`pocket-combine cards`: everything that is done with datacards, whoever wrote them."""
