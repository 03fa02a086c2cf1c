"""Read cohort tables, check their values, label patients, draw folds."""
