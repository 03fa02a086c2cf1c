import pytest
import torch

from lsemvae.core.errors import InputError
from lsemvae.nn.batch_norm import refuse_single_record


def test_one_recording_is_refused_in_training_only() -> None:
    with pytest.raises(InputError, match=r"two or more recordings .* got 1; raise the batch size"):
        refuse_single_record(torch.zeros(1, 12, 8), training=True)
    refuse_single_record(torch.zeros(2, 12, 8), training=True)
    refuse_single_record(torch.zeros(1, 12, 8), training=False)
