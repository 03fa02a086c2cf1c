"""Simulate hearts, ECGs and cohorts whose truth is known."""
