"""Read the encoder that a method freezes, by the feature that the method takes."""

from lsemvae.core.errors import InputError
from lsemvae.core.types import EcgInput
from lsemvae.models import Pretrained, check_same_input, load_pretrained
from lsemvae.models.feature_choice import with_feature
from lsemvae.models.foreign import ForeignEncoder
from lsemvae.models.method import Method


def read_encoder(method: Method, name: str, encoder: str | None) -> Pretrained:
    """Return the encoder of a method, which may have been pre-trained with another feature.

    Args:
        method: one that freezes an encoder.
        name: of the method, for the message.
        encoder: the checkpoint, or the name of an encoder that ships.

    Raises:
        InputError: no checkpoint is named, it cannot be read, or it is of another method.
    """
    if encoder is None:
        raise InputError(
            f"method {name} needs --encoder, a pre-trained checkpoint; `lsemvae encoders` lists "
            "what ships"
        )
    pretrained = load_pretrained(encoder)
    method.check_encoder(pretrained.network, pretrained.data.ecg_input, encoder)
    return read_as(method, pretrained)


def read_as(method: Method, pretrained: Pretrained) -> Pretrained:
    """Return an encoder as the method reads it: the same weights, perhaps another feature."""
    return pretrained if method.feature is None else with_feature(pretrained, method.feature)


def fit_to_recordings(encoder: str, pretrained: Pretrained, given: EcgInput) -> None:
    """Bring an encoder of somebody else to the recordings; refuse one of ours on others than its.

    Args:
        encoder: the checkpoint or adapter, for the message.
        pretrained: the encoder.
        given: of the recordings.

    Raises:
        InputError: it does not take them.
    """
    if isinstance(pretrained.network, ForeignEncoder):
        pretrained.network.bind(given)
    else:
        check_same_input(encoder, pretrained.data.ecg_input, given)
