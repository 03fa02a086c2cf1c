"""Explain predictions: integrated gradients per lead and wave, checked for meaning."""
