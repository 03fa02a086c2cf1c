"""Give every fold of a cross-validation a seed of its own, the same wherever it is trained."""

import lightning


def seed_fold(seed: int, fold: int | None) -> None:
    """Seed everything with the sum of the run's seed and the fold's number.

    `lsemvae cv` and `lsemvae fit` of one fold both do, so they draw the same weights and batches.
    """
    lightning.seed_everything(seed + (fold or 0), verbose=False)
