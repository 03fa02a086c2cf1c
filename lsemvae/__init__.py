"""LS-EMVAE: lead-specific ECG modelling for pulmonary hypertension."""
