"""Evaluate from files: metrics, cross-validation, pictures, report. Needs no Trainer."""
