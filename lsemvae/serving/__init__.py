"""Show a locked model's answers to loose recordings on a page of this machine."""
