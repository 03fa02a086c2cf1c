"""Lightning callbacks and the W&B logger."""

from lsemvae.callbacks.beta_annealing import BetaAnnealing
from lsemvae.callbacks.diagnostics import LatentDiagnostics
from lsemvae.callbacks.predictions import PredictionWriter
from lsemvae.callbacks.provenance import ProvenanceWriter
from lsemvae.callbacks.reconstructions import ReconstructionWriter
from lsemvae.callbacks.wandb_logger import PrivateWandbLogger

__all__ = [
    "BetaAnnealing",
    "LatentDiagnostics",
    "PredictionWriter",
    "PrivateWandbLogger",
    "ProvenanceWriter",
    "ReconstructionWriter",
]
