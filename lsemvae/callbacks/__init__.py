"""Act during training: beta annealing, diagnostics, what a run writes, how it stops and goes on."""

from lsemvae.callbacks.beta_annealing import BetaAnnealing
from lsemvae.callbacks.checkpoint_io import HashedCheckpointIO
from lsemvae.callbacks.continued_log import ContinuedLog
from lsemvae.callbacks.diagnostics import LatentDiagnostics
from lsemvae.callbacks.predictions import PredictionWriter
from lsemvae.callbacks.provenance import ProvenanceWriter
from lsemvae.callbacks.reconstructions import ReconstructionWriter
from lsemvae.callbacks.representation_probe import RepresentationProbe
from lsemvae.callbacks.same_settings import SameSettings
from lsemvae.callbacks.same_threads import SameThreads
from lsemvae.callbacks.sole_writer import SoleWriter
from lsemvae.callbacks.stop_signal import StopSignal
from lsemvae.callbacks.trained_weights import TrainedWeights
from lsemvae.callbacks.wandb_logger import PrivateWandbLogger

__all__ = [
    "BetaAnnealing",
    "ContinuedLog",
    "HashedCheckpointIO",
    "LatentDiagnostics",
    "PredictionWriter",
    "PrivateWandbLogger",
    "ProvenanceWriter",
    "ReconstructionWriter",
    "RepresentationProbe",
    "SameSettings",
    "SameThreads",
    "SoleWriter",
    "StopSignal",
    "TrainedWeights",
]
