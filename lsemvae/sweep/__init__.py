"""Search hyper-parameters of pre-training from a W&B sweep file."""
