"""Commands beside Lightning's own; only these and the command line see both data and tasks."""
