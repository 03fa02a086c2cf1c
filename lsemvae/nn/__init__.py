"""Network parts that know no Lightning."""
