"""Read what a file says of patient and acquisition, beside its signals."""
