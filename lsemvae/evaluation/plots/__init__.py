"""Draw recordings on ECG paper and the curves of reports."""
