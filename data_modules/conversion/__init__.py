"""Convert recordings into a store, safely and in parallel."""
