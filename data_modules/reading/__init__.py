"""Read one recording of any known format, strictly."""
