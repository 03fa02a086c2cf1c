"""Compare methods x tasks x lead sets on the same folds."""
