"""State which seeds every generator of random numbers in use takes."""

from lsemvae.core.errors import InputError

MAX_SEED = (1 << 32) - 1_000_000  # folds, draws and heads count on from it; NumPy takes 32 bits


SEEDS = ("seed", "permute_labels", "seed_everything")  # options that are one


def check_seed(seed: int, name: str = "seed") -> None:
    """Refuse a seed that NumPy would refuse later.

    Args:
        seed: as it was given.
        name: of the option.

    Raises:
        InputError: it is negative or above `MAX_SEED`.
    """
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"{name} must be in 0..{MAX_SEED}, got {str(seed)[:40]}")
