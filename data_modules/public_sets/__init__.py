"""Read public data sets in their official layouts: labels, folds and patients of each."""
