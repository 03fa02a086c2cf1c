"""Measure what pre-training was worth on a labelled cohort, and write it down in one step."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from data_modules.cohort.quantities import derived_counts
from data_modules.rhc_cohort import RhcCohort
from lsemvae.core.counted import counted
from lsemvae.core.errors import InputError
from lsemvae.core.files import write_text
from lsemvae.core.leads import lead_set_name
from lsemvae.core.outputs import check_output_file
from lsemvae.core.printable import say
from lsemvae.core.provenance import provenance
from lsemvae.core.sealed_json import write_json
from lsemvae.evaluation.leakage_statement import leakage_statement
from lsemvae.evaluation.report.worth import FILE as REFERENCES
from lsemvae.evaluation.report.worth import read_references
from lsemvae.evaluation.runs import data_label, derived_notes
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.worth import COLUMNS, LINEAR, MLP, worth_sentence, worth_table
from lsemvae.heads.mlp import MlpSettings
from lsemvae.models import Pretrained
from lsemvae.references.label_draws import check_fractions
from lsemvae.references.mlp_scores import mlp_scores
from lsemvae.references.probing import ProbeSettings, labelled_folds, linear_scores
from lsemvae.references.rows import Row, encoder_rows, trivial_rows

TABLE, ABOUT = "references.csv", REFERENCES
SCORES = "scores"  # folder within that of the features
FORMAT, VERSION = "lsemvae-references", 1


@dataclass(frozen=True)
class StudySettings:
    """What an encoder is compared with, and how.

    Attributes:
        probe: label fractions, draws, strengths.
        mlp: schedule of the publication's head; None leaves it out.
        mlp_fractions: shares of the labels that this head is trained with, 1 first.
        n_twins: untrained twins.
        features: how LS-EMVAE is read, besides its own way.
    """

    probe: ProbeSettings = ProbeSettings()
    mlp: MlpSettings | None = MlpSettings()
    mlp_fractions: tuple[float, ...] = (1.0,)
    n_twins: int = 5
    features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse numbers that make no comparison, all of them in one line."""
        for fractions in (self.probe.fractions, self.mlp_fractions):
            check_fractions(fractions)
        numbers = {"twins": self.n_twins, "draws": self.probe.n_draws}
        wrong = [f"{name} must be >= 1, got {n}" for name, n in numbers.items() if n < 1]
        if not self.probe.strengths or min(self.probe.strengths) <= 0:
            wrong.append(f"strengths must be > 0, got {list(self.probe.strengths)}")
        if wrong:
            raise InputError("; ".join(wrong))


def reference_rows(
    encoders: Sequence[Pretrained], data: RhcCohort, cache: Path, settings: StudySettings,
    form: RhcCohort | None = None,
) -> list[Row]:  # fmt: skip
    """Return the features of encoders, twins and what needs no encoder.

    Args:
        encoders: pre-trainings of one architecture that differ in their seed.
        data: recordings and leads.
        cache: folder of features.
        settings: which rows.
        form: the same recordings in the form that random convolutions and PCA take; None for that
            of `data`.

    Raises:
        InputError: encoders that differ in more than their seed, or in nothing; `form` lacks
            recordings.
    """
    _check_one_study(encoders)
    rows = encoder_rows(encoders, data, cache, n_twins=settings.n_twins)
    for feature in settings.features:
        rows += encoder_rows(encoders, data, cache, n_twins=settings.n_twins, feature=feature)
    return rows + trivial_rows(encoders[0], data, cache, form=form)


def _check_one_study(encoders: Sequence[Pretrained]) -> None:
    """Refuse encoders whose spread would not be that of seeds.

    Raises:
        InputError: two are the same, or differ in architecture or in what they were trained on.
    """
    first = encoders[0]
    for other in encoders[1:]:
        named = type(other.network), other.network.init_args
        what = ""
        if named != (type(first.network), first.network.init_args):
            what = "architecture"
        elif other.data.sha256 != first.data.sha256:
            what = "pre-training recordings"
        if what:
            raise InputError(
                f"encoders of different {what}; those of one study may differ in their seed only, "
                f"so that their spread means something: study each {what} by itself"
            )
    if len({one.sha256 for one in encoders}) < len(encoders):
        raise InputError(
            "two of the encoders are the same file, so that they have no spread of seeds; name "
            "each once"
        )


def measure(
    encoders: Sequence[Pretrained], data: RhcCohort, cache: Path,
    settings: StudySettings = StudySettings(), *, jobs: int = 1, form: RhcCohort | None = None,
    kept: Path | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return the table of `worth_table` for a cohort, its task, its leads and its frozen folds.

    Args:
        encoders: see `reference_rows`.
        data: the cohort.
        cache: folder of features.
        settings: what is compared.
        jobs: rows probed at the same time.
        form: see `reference_rows`.
        kept: folder of the scores of rows; None keeps none.
    """
    what = f"{data.task}, {lead_set_name(data.leads)}"
    each = counted(len(encoders), "encoder"), counted(settings.n_twins, "untrained twin")
    _tell(f"{what}, 1 of 3: features of {each[0]}, {each[1]}, random convolutions and PCA")
    rows = reference_rows(encoders, data, cache, settings, form)
    cohort = labelled_folds(data.labelled(), data.load_splits())
    _tell(
        f"{what}, 2 of 3: linear probe on {counted(len(rows), 'row')} of features, "
        f"{counted(len(settings.probe.fractions), 'share')} of the labels"
    )
    scores = {LINEAR: linear_scores(rows, cohort, settings.probe, jobs=jobs, kept=kept)}
    if settings.mlp is not None:
        _tell(f"{what}, 3 of 3: the publication's head, {counted(settings.mlp.epochs, 'epoch')}")
        draws = replace(settings.probe, fractions=settings.mlp_fractions)
        scores[MLP] = mlp_scores(rows, cohort, settings.mlp, draws=draws, kept=kept)
    return worth_table(cohort, scores)


def _tell(text: str) -> None:
    """Say on stderr what begins: without a terminal there is no bar, and minutes pass."""
    say(text, file=sys.stderr, flush=True)


def described(
    encoders: Sequence[Pretrained], data: RhcCohort, settings: StudySettings,
    form: RhcCohort | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return everything that decides the table, ready for JSON."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "task": data.task,
        "leads": list(data.leads),
        "cohort_sha256": data.pool.sha256,
        "splits_sha256": data.load_splits().digest(),
        "labels_sha256": data.load_splits().cohort_sha256,
        "normalisation": data.normalisation,
        "encoders_sha256": [one.sha256 for one in encoders],
        "settings": asdict(settings),
        "references_on_sha256": None if form is None else form.pool.sha256,
    }
    plain: dict[str, Any] = json.loads(json.dumps(content))
    return plain


def study(
    encoders: Sequence[Pretrained], data: RhcCohort, folder: Path, cache: Path,
    settings: StudySettings = StudySettings(), *, leakage: Mapping[str, Any], jobs: int = 1,
    overwrite: bool = False, form: RhcCohort | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Measure and write `references.csv` and `references.json`, unless that is done.

    Arguments as in `measure`; `folder` gets the files, `overwrite` measures again, `leakage` is
    what `LeakageCheck.about` says.

    Returns:
        What `references.json` holds.
    """
    asked = described(encoders, data, settings, form) | {"leaks": list(leakage["leaks"])}
    found = None if overwrite else read_references(folder)
    if found is not None and all(found.get(k) == v for k, v in asked.items()):
        return found
    check_output_file(folder / TABLE, mark=",".join(COLUMNS[:3]).encode())
    kept = None if overwrite else cache / SCORES
    table = measure(encoders, data, cache, settings, jobs=jobs, form=form, kept=kept)
    synthetic = data.pool.synthetic or any(one.data.synthetic for one in encoders)
    cohort = data.labelled()
    derived = derived_counts(data.pool.table.iloc[cohort["row"]], data.task, data.thresholds)
    label = data_label(data.pool.label, synthetic, derived_notes(derived))
    said = worth_sentence(table, lead_set_name(data.leads), f"{data.task}, {label}")
    known = leakage_statement(leakage)
    content: dict[str, Any] = to_json(
        {
            **asked,
            "data": data.pool.label,
            "derived": derived,
            "synthetic": synthetic,
            "n_records": len(cohort),
            "n_patients": int(cohort["patient_id"].nunique()),
            "n_positive": int(cohort["label"].sum()),
            "encoder_saw_these_recordings": any(
                data.pool.sha256 in one.data.sha256.split("+") for one in encoders
            ),
            "statement": said if known.clean else f"{said} {known.text}",
            "rows": table,
            "provenance": provenance(),
        }
    )
    write_text(folder / TABLE, table.to_csv(index=False))
    write_json(folder / ABOUT, content, [TABLE])
    return content
