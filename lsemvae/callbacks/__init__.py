"""Lightning callbacks: beta annealing, diagnostics, reconstructions, predictions, provenance."""

from lsemvae.callbacks.beta_annealing import BetaAnnealing
from lsemvae.callbacks.diagnostics import LatentDiagnostics
from lsemvae.callbacks.predictions import PredictionWriter
from lsemvae.callbacks.provenance import ProvenanceWriter
from lsemvae.callbacks.reconstructions import ReconstructionWriter

__all__ = [
    "BetaAnnealing",
    "LatentDiagnostics",
    "PredictionWriter",
    "ProvenanceWriter",
    "ReconstructionWriter",
]
