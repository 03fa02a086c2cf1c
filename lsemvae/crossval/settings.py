"""Describe what a cross-validation compares and how its folds are trained."""

from dataclasses import dataclass
from pathlib import Path

from lsemvae.core.errors import InputError
from lsemvae.core.leads import parse_leads
from lsemvae.core.targets import Target, find_target, task_folder
from lsemvae.core.tasks import Thresholds
from lsemvae.core.types import Normalisation
from lsemvae.models.method import Size
from lsemvae.tasks.classify import FocalSettings

FEATURES = "features"


@dataclass(frozen=True)
class CvSettings:
    """What is compared, how folds are drawn and how each is trained.

    Args:
        task: of `DEFINED_TASKS`, any column of 0 and 1 in the cohort's table, or a column of
            `NUMBERS`, which is estimated in its unit; names joined by commas are several labels.
        leads: 12, 6 (the limb leads), or names.
        method: see `lsemvae.models.methods`; a name, a class path or a YAML file.
        folds: number of folds.
        epochs: training epochs per fold; paper section 3.
        batch_size: recordings per step; paper section 3.
        lr: learning rate of AdamW; paper section 3.
        focal_alpha: weight of the positive class in the focal loss.
        focal_gamma: focusing exponent of the focal loss.
        normalisation: of the amplitudes; None for a frozen encoder's own, else `record`.
        thresholds: pressures that define the tasks.
        size: of a network trained end to end.
        inner: predict an inner part of every training part too; None where the encoder is frozen.
        seed: of folds and training.
        permute_labels: seed of a shuffle of the labels, None for the labels as they are.
        jobs: folds trained at the same time; changes no result.
        side_by_side: train all heads on a frozen encoder at once; off, each by a Trainer of its
            own, to the bit as `lightning fit` does. The numbers differ by float32's rounding.
        distinct_ids: patient ids that differ only as they are written are different people.
        fold_column: column of the table with the folds; None draws them.

    Raises:
        InputError: names every option that is out of range.
    """

    task: str = "detection"
    leads: int | str | list[str] = 12
    method: str = "ls_emvae"
    folds: int = 5
    epochs: int = 50
    batch_size: int = 32
    lr: float = 1e-4
    focal_alpha: float = 0.25
    focal_gamma: float = 2.0
    normalisation: Normalisation | None = None
    thresholds: Thresholds = Thresholds()
    size: Size = "paper"
    inner: bool | None = None
    seed: int = 0
    permute_labels: int | None = None
    jobs: int = 1
    distinct_ids: bool = False
    side_by_side: bool = True
    fold_column: str | None = None

    def __post_init__(self) -> None:
        parse_leads(self.leads)
        least = {"folds": 2, "epochs": 1, "batch_size": 1, "seed": 0, "jobs": 1}
        wrong = [
            f"{name} must be >= {low}, got {getattr(self, name)}"
            for name, low in least.items()
            if getattr(self, name) < low
        ]
        if not self.lr > 0:
            wrong.append(f"lr must be > 0, got {self.lr}")
        wrong += self._focal_faults()
        if self.task in ("", FEATURES) or self.task.startswith(".") or {"/", "\\"} & set(self.task):
            wrong.append(
                f"task {self.task!r} cannot name a result folder; rename the column in the table"
            )
        if self.permute_labels is not None and self.target.kind != "binary":
            wrong.append(
                f"--permute_labels shuffles the labels of a yes or no, task {self.task!r} is none; "
                "leave it out"
            )
        published = CvSettings.focal_alpha, CvSettings.focal_gamma
        if self.target.kind == "number" and (self.focal_alpha, self.focal_gamma) != published:
            wrong.append(
                f"task {self.task!r} is trained by least squares, which has no focal_alpha and "
                "focal_gamma; leave them out"
            )
        if wrong:
            raise InputError("; ".join(wrong))

    def _focal_faults(self) -> list[str]:
        try:
            FocalSettings(self.focal_alpha, self.focal_gamma)
        except InputError as error:
            return [f"--focal_alpha, --focal_gamma: {error}"]
        return []

    @property
    def target(self) -> Target:
        """What is predicted."""
        return find_target(self.task)

    def folder(self, out: Path) -> Path:
        """Return the folder of the task's folds, which all methods and leads share."""
        shuffled = "" if self.permute_labels is None else f"-permuted-{self.permute_labels}"
        return out / f"{task_folder(self.task)}{shuffled}"
