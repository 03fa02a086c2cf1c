"""Take from a store what a report shows of it."""
