"""Collect garbage rarely, before anything large is imported."""

from lsemvae.runtime.garbage import collect_rarely

collect_rarely()
