"""Cross-validate a method: folds, features of frozen encoders, gathered results."""
