"""Networks of the paper's Table 2, one file per method."""

from lsemvae.models.base import EcgNetwork, LossTerms, PretrainableNetwork
from lsemvae.models.checkpoint import Pretrained, load_pretrained
from lsemvae.models.ls_emvae import ElboObjective, Fusion, LsEmvae
from lsemvae.models.multimodal_cnn import MultimodalCnn

__all__ = [
    "EcgNetwork",
    "ElboObjective",
    "Fusion",
    "LossTerms",
    "LsEmvae",
    "MultimodalCnn",
    "Pretrained",
    "PretrainableNetwork",
    "load_pretrained",
]
