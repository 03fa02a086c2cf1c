"""Build the networks of the paper's Table 2, one file per method."""

from lsemvae.models.authors_code import AuthorsCode
from lsemvae.models.base import (
    EcgNetwork,
    FixedLeadNetwork,
    GenerativeNetwork,
    LossTerms,
    PretrainableNetwork,
)
from lsemvae.models.beat_ls_emvae import BeatLsEmvae
from lsemvae.models.beat_objective import BeatObjective
from lsemvae.models.beta_vae import BetaVae
from lsemvae.models.checkpoint import (
    Pretrained,
    check_same_input,
    load_pretrained,
    read_data_state,
)
from lsemvae.models.ls_emvae import Fusion, LsEmvae
from lsemvae.models.mopoe_vae import MopoeVae
from lsemvae.models.multimodal_cnn import MultimodalCnn
from lsemvae.models.mvae import Mvae
from lsemvae.models.objective import ElboObjective, ReconstructionObjective
from lsemvae.models.resnet1d import ResNet1d
from lsemvae.models.st_mem import StMem
from lsemvae.models.xresnet1d import XResNet1d

__all__ = [
    "AuthorsCode",
    "BeatLsEmvae",
    "BeatObjective",
    "BetaVae",
    "EcgNetwork",
    "ElboObjective",
    "FixedLeadNetwork",
    "Fusion",
    "GenerativeNetwork",
    "LossTerms",
    "LsEmvae",
    "MopoeVae",
    "MultimodalCnn",
    "Mvae",
    "PretrainableNetwork",
    "Pretrained",
    "ReconstructionObjective",
    "ResNet1d",
    "StMem",
    "XResNet1d",
    "check_same_input",
    "load_pretrained",
    "read_data_state",
]
