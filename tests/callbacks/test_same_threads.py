"""The number of threads of a resumed run."""

import pytest
import torch

from lsemvae.callbacks.same_threads import SameThreads


def test_resumed_run_computes_on_the_threads_of_its_checkpoint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        kept = SameThreads().state_dict()
        torch.set_num_threads(3)
        SameThreads().load_state_dict(kept)
        assert torch.get_num_threads() == 1
        assert "computing on 1 thread as before, not on 3" in capsys.readouterr().out
        SameThreads().load_state_dict(kept)
        assert capsys.readouterr().out == ""
    finally:
        torch.set_num_threads(before)
