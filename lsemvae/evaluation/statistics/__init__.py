"""Compute statistics of predictions: pure functions on arrays and tables."""
