"""Validate locked models on other cohorts: `python -m benchmarks.external_validation`.

Twice, through the command line as a user would go. Left ventricular hypertrophy: trained on PTB-XL
(z-scored per lead), validated on LUDB (scaled lead by lead), both of arbitrary amplitude; the
environment variable ECG_CORPORA names the folder of the recordings. And SYNTHETIC: trained on one
simulated cohort, validated on another one, as it is and with every second positive patient left
out, which shifts the log-odds of a calibrated model by log(1/2).
"""

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks.machine import describe_machine, write_results
from benchmarks.public_recordings import prepare, run

BEATS = ["--signal.segment", "median_beat", "--signal.sampling_rate_hz", "100"]
TRAINING = ["--method", "resnet1d", "--size", "small", "--inner", "true", "--lr", "0.001"]
MEASURES = {
    "auroc": "AUROC", "average_precision": "AUPRC", "observed_expected": "observed / expected",
    "calibration_intercept": "calibration intercept", "calibration_slope": "calibration slope",
}  # fmt: skip


def trained(folder: Path, store: Path, task: str, more: Sequence[str]) -> Path:
    """Cross-validate and lock; return the model file."""
    out = folder / f"{task}.safetensors"
    if not out.is_file():
        runs = folder / "cv"
        run(["cv", "--cohort", str(store), "--task", task, "--out", str(runs), *TRAINING, *more])
        run(["lock", str(runs / task / "resnet1d/12L"), "--cohort", str(store), "--out", str(out)])
    return out


def converted(store: Path, *arguments: str) -> Path:
    """Prepare a store where it is missing."""
    if not store.is_file():
        run(["prepare", "cohort", "--out", str(store), *arguments, *BEATS])
    return store


def validated(model: Path, store: Path, out: Path, *more: str) -> dict[str, str]:
    """Validate a model; return every measure as text."""
    run(["external", str(model), "--cohort", str(store), "--out", str(out), *more])
    sections = json.loads((out / "external.json").read_text())["sections"]
    facts, mix = sections["summary"]["facts"], sections["case_mix"]["facts"]
    trained = json.loads(next(model.parent.glob("cv/*/resnet1d/12L/metrics.json")).read_text())
    found = {
        "positive in training": f"{mix['training']['n_positive']} of "
                                f"{mix['training']['n_recordings']}",
        "positive here": f"{mix['here']['n_positive']} of {mix['here']['n_recordings']}",
        "recordings with result and label": str(facts["n_recordings"]),
        "AUROC in training, mean and SD of the folds": f"{trained['mean']['auroc']:.2f} ± "
                                                       f"{trained['sd']['auroc']:.2f}",
    }  # fmt: skip
    for name, title in MEASURES.items():
        one = facts["measures"][name]
        found[title] = f"{one['value']:.2f} [{one['low']:.2f}, {one['high']:.2f}]"
    return found


def public(folder: Path, epochs: str) -> dict[str, str]:
    """Train on PTB-XL, validate on LUDB."""
    prepare(folder, BEATS)
    corpora = Path(os.environ["ECG_CORPORA"])
    source = pd.read_csv(corpora / "ludb/ludb.csv", dtype=str)
    table = pd.DataFrame(
        {
            "record": source["ID"].str.strip(),
            "patient_id": "ludb " + source["ID"].str.strip(),
            "sex": source["Sex"].str.strip(),
            "LVH": source["Hypertrophies"].str.contains("Left ventricular hypertrophy", na=False)
            .astype(int),
        }
    )  # fmt: skip
    table.to_csv(folder / "ludb_lvh.csv", index=False)
    store = converted(
        folder / "ludb_lvh.h5", "--table", str(folder / "ludb_lvh.csv"), "--source",
        str(corpora / "ludb/data"), "--amplitude", "arbitrary", "--label", "LUDB",
    )  # fmt: skip
    model = trained(folder, folder / "ptbxl.h5", "sub_LVH",
                    ["--normalisation", "lead", "--epochs", epochs])  # fmt: skip
    return validated(model, store, folder / "external_ludb", "--label", "LVH")


def synthetic(folder: Path, epochs: str, n_patients: str) -> dict[str, dict[str, str]]:
    """Train on one simulated cohort; validate on another one, as it is and shifted."""
    stores = {}
    for seed, name in enumerate(("training", "other")):
        size = ["--n_patients", n_patients, "--n_pretraining_patients", "1", "--seed", str(seed)]
        made = folder / name / "cohort"
        if not made.is_dir():
            run(["synthesize", "--out", str(folder / name), *size])
        table = pd.read_csv(made / "cohort.csv", dtype=str)
        table["patient_id"] = f"{name} " + table["patient_id"]
        positive = table["mpap_mmhg"].astype(float) > 20
        halved = table[~positive | (positive.cumsum() % 2 == 0)]
        for suffix, rows in (("", table), ("_halved", halved)):
            listed = made / f"list{suffix}.csv"
            rows.to_csv(listed, index=False)
            stores[name + suffix] = converted(
                folder / f"{name}{suffix}.h5", "--table", str(listed), "--source",
                str(made / "records"), "--label", f"simulated {name}{suffix.replace('_', ', ')}",
            )  # fmt: skip
    model = trained(folder, stores["training"], "detection", ["--epochs", epochs])
    return {
        "SYNTHETIC, another seed": validated(model, stores["other"], folder / "external_other"),
        "SYNTHETIC, half of the positives left out": validated(
            model, stores["other_halved"], folder / "external_halved"
        ),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, lock, validate, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, default=Path("data/external"))
    parser.add_argument("--epochs", default="20", help="of every fold")
    parser.add_argument("--patients", default="900", help="of every simulated cohort")
    parser.add_argument("--out", type=Path, default=Path("reports/external_validation.json"))
    parser.add_argument("--page", type=Path, help="Markdown file whose marked part is replaced")
    options = parser.parse_args(arguments)
    if "ECG_CORPORA" not in os.environ:
        sys.exit("error: set ECG_CORPORA to the folder of the public recordings")
    for name in ("public", "synthetic"):
        (options.folder / name).mkdir(parents=True, exist_ok=True)
    found = {"LUDB, LVH": public(options.folder / "public", options.epochs)}
    found |= synthetic(options.folder / "synthetic", options.epochs, options.patients)
    rows = list(next(iter(found.values())))
    lines = [f"| | {' | '.join(found)} |", "|---|" + "---|" * len(found)]
    lines += [f"| {row} | {' | '.join(one[row] for one in found.values())} |" for row in rows]
    lines += ["", f"Small ResNet1d, median beats at 100 Hz, 5 folds of {options.epochs} epochs, "
              "ensemble. Training: PTB-XL, 1,442 recordings z-scored per lead, task sub_LVH; "
              f"{options.patients} simulated patients. Leaving out half of the positives shifts "
              f"the intercept of a calibrated model by {math.log(0.5):.2f}."]  # fmt: skip
    results = {"machine": describe_machine(), "epochs": options.epochs, "columns": found}
    write_results(options.out, results, "\n".join(lines) + "\n", page=options.page,
                  program="benchmarks.external_validation")  # fmt: skip


if __name__ == "__main__":
    main()
