"""Run the commands beside Lightning's own; only these and the command line see data and tasks."""
