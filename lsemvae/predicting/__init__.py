"""Apply a locked model to files, folders and stores; imports no torch, lightning or wandb."""
