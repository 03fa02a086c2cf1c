"""Settle what the process may use and import before anything heavy is loaded."""
