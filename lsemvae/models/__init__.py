"""Networks of the paper's Table 2, one file per method."""

from lsemvae.models.base import (
    EcgNetwork,
    FixedLeadNetwork,
    GenerativeNetwork,
    LossTerms,
    PretrainableNetwork,
)
from lsemvae.models.checkpoint import (
    Pretrained,
    check_same_input,
    file_sha256,
    load_pretrained,
    read_data_state,
)
from lsemvae.models.ls_emvae import Fusion, LsEmvae
from lsemvae.models.multimodal_cnn import MultimodalCnn
from lsemvae.models.objective import ElboObjective

__all__ = [
    "EcgNetwork",
    "ElboObjective",
    "FixedLeadNetwork",
    "Fusion",
    "GenerativeNetwork",
    "LossTerms",
    "LsEmvae",
    "MultimodalCnn",
    "PretrainableNetwork",
    "Pretrained",
    "check_same_input",
    "file_sha256",
    "load_pretrained",
    "read_data_state",
]
