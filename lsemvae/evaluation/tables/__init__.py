"""Make tables of results, of a cohort and of the paper."""
