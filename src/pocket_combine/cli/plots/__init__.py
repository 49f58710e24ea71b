"""`pocket-combine plot`: figures and tables from saved results and cards."""
