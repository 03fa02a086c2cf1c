"""Write synthetic recordings in the two layouts that `prepare` reads: `lsemvae synthesize`."""

from pathlib import Path

from data_modules.progress import counted_progress
from data_modules.simulation.cohort import DEFAULT_DIFFICULTY, GROUP_SIZES, check_sizes
from data_modules.simulation.files import write_cohort, write_mimic
from lsemvae.core.one_writer import writing_alone
from lsemvae.core.printable import say


def synthesize(
    out: str,
    *,
    n_patients: int = sum(GROUP_SIZES),
    n_pretraining_patients: int = 1000,
    difficulty: float = DEFAULT_DIFFICULTY,
    seed: int = 0,
) -> None:
    """Write a synthetic cohort and a synthetic pre-training set as WFDB files.

    OUT/cohort holds cohort.csv and its WFDB records, OUT/mimic a tree in MIMIC-IV-ECG's layout with
    one to three recordings of each patient. Every header says that the recording is synthetic.

    Args:
        out: folder to write to.
        n_patients: patients of the cohort, in the proportions of the paper's Table 1.
        n_pretraining_patients: patients of the pre-training set.
        difficulty: 0 is separable, 1 holds no signal beyond heart rate and age.
        seed: the same seed and options give the same bytes.
    """
    check_sizes(n_patients, n_pretraining_patients)
    folder = Path(out)
    with writing_alone(folder):
        with counted_progress("writing the cohort") as progress:
            write_cohort(
                folder / "cohort", n_patients=n_patients, difficulty=difficulty, seed=seed,
                progress=progress,
            )  # fmt: skip
        with counted_progress("writing the pre-training set") as progress:
            write_mimic(
                folder / "mimic",
                n_patients=n_pretraining_patients,
                seed=seed + 1,
                progress=progress,
            )
    say(f"synthetic recordings in {folder}/cohort and {folder}/mimic")
