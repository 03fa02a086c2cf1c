"""Make a right-heart-catheter cohort from the tables of MIMIC-IV."""
