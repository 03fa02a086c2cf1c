"""Write and read stores of recordings, and check that they are whole."""
