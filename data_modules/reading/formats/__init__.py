"""Read recordings beside WFDB: one function for each kind of file, bytes to raw recording."""
