"""Compute what a pre-trained encoder has to beat: untrained twin, random convolutions, PCA."""
