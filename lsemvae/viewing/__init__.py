"""Show one recording with the findings of the checks."""
