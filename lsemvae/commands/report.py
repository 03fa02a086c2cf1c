"""`lsemvae report`: one HTML page from finished runs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from lsemvae.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from data_modules.labels import Thresholds
    from data_modules.store import EcgStore
    from lsemvae.evaluation.cv_runs import CvRun

# Task, the column that it needs, and the names of its classes 0 and 1.
GROUPS = (
    ("detection", "mpap_mmhg", ("non-PH", "PH")),
    ("phenotype", "pawp_mmhg", ("pre-capillary", "post-capillary")),
)
CHARACTERISTICS = {
    "age_years": "age (years)",
    "bsa_m2": "body surface area (m²)",
    "heart_rate_bpm": "heart rate (1/min)",
    "mpap_mmhg": "mPAP (mmHg)",
    "pawp_mmhg": "PAWP (mmHg)",
    "spap_mmhg": "sPAP (mmHg)",
    "dpap_mmhg": "dPAP (mmHg)",
}


def report(
    cv: str,
    cohort: str,
    *,
    pretrain: str | None = None,
    out: str = "reports",
    title: str = "LS-EMVAE: cross-validated report",
) -> None:
    """Write one self-contained HTML page: cohort, metrics, curves, reconstructions, provenance.

    Args:
        cv: folder of `lsemvae cv` results (its --out); every finished run below it is shown.
        cohort: the store that was cross-validated.
        pretrain: folder of the pre-training run (metrics.csv, reconstructions.npz).
        out: folder that gets index.html.
        title: of the page.
    """
    from data_modules.store import EcgStore
    from lsemvae.evaluation import report as page
    from lsemvae.evaluation.cv_runs import read_cv_runs
    from lsemvae.models import file_sha256, read_data_state

    store = EcgStore(cohort)
    runs = read_cv_runs(Path(cv))
    foreign = [run.folder for run in runs if run.metrics["cohort_sha256"] != store.sha256]
    if foreign:
        raise InputError(f"{foreign[0]} was run on another cohort than {cohort}")
    synthetic = store.synthetic or any(run.metrics["synthetic"] for run in runs)
    thresholds = _thresholds(runs)
    content = page.ReportContent(
        title=title,
        data=store.label,
        synthetic=synthetic,
        flow=_flow(store, cohort),
        groups=_groups(store.table, thresholds),
        results=page.result_rows(runs),
        pictures={"roc": page.roc_pictures(runs)},
        provenance=_provenance(store, runs),
    )
    if pretrain is not None:
        folder = Path(pretrain)
        content.pictures["training"] = page.training_pictures(folder)
        encoder = folder / "checkpoints/last.ckpt"
        pretrained_on = read_data_state(str(encoder))
        used = {run.metrics["encoder_sha256"] for run in runs} - {None}
        if file_sha256(encoder) not in used:
            raise InputError(
                f"{encoder} is not the encoder that was cross-validated below {cv}; name the "
                "pre-training run that it came from"
            )
        content.pictures["reconstructions"] = page.reconstruction_pictures(
            folder,
            sampling_rate_hz=pretrained_on.ecg_input.sampling_rate_hz,
            calibrated=pretrained_on.calibrated,
        )
        content.provenance.append(("pre-trained on", pretrained_on.label))
        content.provenance += _run_provenance(folder)
    print(f"report: {page.write_report(content, Path(out))}")


def _thresholds(runs: "list[CvRun]") -> "Thresholds":
    """Return the pressures that defined the labels of all runs.

    Raises:
        InputError: they differ between runs.
    """
    from data_modules.labels import Thresholds

    names = ("mpap_threshold_mmhg", "pawp_threshold_mmhg")
    found = {tuple(run.metrics[name] for name in names) for run in runs}
    if len(found) > 1:
        raise InputError(
            f"the runs use different thresholds (mPAP, PAWP: {sorted(found)}); report them apart"
        )
    return Thresholds(*found.pop())


def _flow(store: "EcgStore", cohort: str) -> list[tuple[str, str]]:
    """Count recordings listed, rejected (by reason), accepted with warnings, accepted."""
    import pandas as pd

    file = Path(cohort + ".quarantine.csv")
    if not file.is_file():
        return [("recordings in the store", str(len(store)))]
    quarantine = pd.read_csv(file, dtype=str, keep_default_na=False)
    rejected = quarantine[quarantine["outcome"] == "rejected"]
    flow = [("recordings listed", str(len(store) + rejected["record"].nunique()))]
    flow += [(f"rejected: {code}", str(n)) for code, n in rejected["code"].value_counts().items()]
    warned = quarantine[quarantine["outcome"] != "rejected"]["record"].nunique()
    flow.append(("recordings in the store", str(len(store))))
    flow.append(("of these with warnings", str(warned)))
    flow.append(("patients", str(store.table["patient_id"].nunique())))
    return flow


def _groups(table: "pd.DataFrame", thresholds: "Thresholds") -> list[list[str]]:
    """Return the rows of Table 1 that the cohort has, by group; none without pressures."""
    from data_modules.labels import task_labels

    parts: dict[str, pd.DataFrame] = {}
    for task, column, names in GROUPS:
        if column in table and table[column].notna().any():
            label = task_labels(table, task, thresholds)
            parts |= {name: table[label == value] for value, name in enumerate(names)}
    parts = {name: part for name, part in parts.items() if len(part)}
    if not parts:
        return []
    rows = [["", *parts], ["recordings", *(str(len(part)) for part in parts.values())]]
    for column, name in CHARACTERISTICS.items():
        if column in table:
            cells = [f"{p[column].mean():.1f} ± {p[column].std():.1f}" for p in parts.values()]
            rows.append([name, *cells])
    return rows


def _provenance(store: "EcgStore", runs: "list[CvRun]") -> list[tuple[str, str]]:
    """Name the data, every encoder and every setting that the runs were made with."""

    def each(*names: str) -> str:
        found = (", ".join(f"{name} {run.metrics[name]}" for name in names) for run in runs)
        return "; ".join(dict.fromkeys(found))

    saw = any(run.metrics["encoder_saw_these_recordings"] for run in runs)
    return [
        ("store SHA-256", store.sha256),
        ("store", f"{store.sampling_rate_hz:g} Hz, {store.n_samples} samples, {store.unit}"),
        ("preparation", json.dumps(store.settings)),
        ("labels", each("mpap_threshold_mmhg", "pawp_threshold_mmhg")),
        ("encoder", each("encoder_sha256")),
        ("encoder pre-trained on these recordings too, without labels", "yes" if saw else "no"),
        ("training", each("epochs", "batch_size", "lr", "focal_alpha", "focal_gamma", "seed")),
        ("normalisation", each("normalisation")),
    ]


def _run_provenance(folder: Path) -> list[tuple[str, str]]:
    file = folder / "provenance.json"
    if not file.is_file():
        return []
    found = json.loads(file.read_text())
    versions = ", ".join(f"{name} {number}" for name, number in found.pop("versions").items())
    rows = [(name.replace("_", " "), str(value)) for name, value in found.items()]
    return [*rows, ("packages", versions)]
