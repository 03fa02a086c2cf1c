"""Recordings: reading, storing, splitting and batching them."""
