"""Learn and judge lead-specific ECG models of pulmonary hypertension: LS-EMVAE and its rivals."""
