"""What a pre-trained encoder has to beat: its untrained twin, random convolutions, PCA."""
