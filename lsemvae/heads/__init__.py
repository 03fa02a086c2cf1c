"""Fit heads on features: a linear probe, and the publication's MLP for many runs at once."""
