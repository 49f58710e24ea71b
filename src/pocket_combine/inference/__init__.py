"""Answers that are found by fitting: fits, scans, limits, impacts, goodness of fit, toys."""
