"""Apply a locked model to a labelled cohort of another place."""
