"""Build the parts of networks; they know no Lightning."""
