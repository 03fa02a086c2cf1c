"""Join recordings and a hospital's table into a cohort without identities."""
