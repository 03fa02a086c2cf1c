"""Let a resumed run compute on as many threads as before: sums depend on how they are split."""

from typing import Any

import torch
from lightning import Callback

from lsemvae.core.counted import counted
from lsemvae.core.printable import say


class SameThreads(Callback):
    """Keep the number of threads in checkpoints, and take it up again where a run goes on.

    The last bits of a sum depend on the number of threads that share it, and that number is chosen
    by how busy the machine is (`lsemvae.runtime.threads`).
    """

    def state_dict(self) -> dict[str, Any]:
        """Return the number of threads."""
        return {"n_threads": torch.get_num_threads()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Compute on the number of threads of the checkpoint, and say so where it is another."""
        before, now = int(state_dict["n_threads"]), torch.get_num_threads()
        if before != now:
            threads = counted(before, "thread")
            say(f"note: computing on {threads} as before, not on {now}: the same bits")
            torch.set_num_threads(before)
