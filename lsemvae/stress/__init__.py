"""Change recordings as other devices, electrodes and postures would, and apply a locked model."""
