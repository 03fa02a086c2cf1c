"""Hold what every layer may import: errors, files, leads, batch types."""
