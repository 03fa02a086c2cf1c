"""Turn arrays of recordings into features of a frozen encoder."""
