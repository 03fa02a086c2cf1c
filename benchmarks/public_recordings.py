"""Run the benchmark of Table 2 on public recordings: `make public`.

The environment variable ECG_CORPORA names the folder of the recordings: 1,442 of PTB-XL (z-scored
per lead), 600 of the CinC challenge 2011 and 200 of LUDB. All of them are used for pre-training,
PTB-XL's for cross-validation: the encoders have seen the test recordings, without labels.
Everything goes through the command line, as a user would go. With `--worth` it measures instead
what the recommended pre-training is worth, with `--unseen` the same on patients it never saw.
"""

import argparse
import json
import os
import shlex
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import unseen_recordings
from benchmarks.pretraining_worth import PAGE, measure
from lsemvae.cli import main as lsemvae

DATA = Path("data/public")
TASKS = ("super_CD", "super_NORM", "rhythm_AFIB", "sub_IRBBB")
STORES = ("ptbxl", "cinc2011", "ludb")


def prepare(folder: Path, segment: list[str]) -> None:
    """Unpack the archives and make the three stores where they are missing."""
    corpora = Path(os.environ["ECG_CORPORA"])
    source = DATA / "source"
    for name, archive in (
        ("ptbxl", "ptbxl_zscored/ptbxl_zscored_dev.tar.xz"),
        ("cinc2011", "cinc2011/seta_dev.tar.xz"),
    ):
        if not (source / name).is_dir():
            with tarfile.open(corpora / archive) as file:
                file.extraction_filter = getattr(tarfile, "data_filter", None)  # 3.11.4 on
                file.extractall(source / name)
    # The shipped encoders and all figures are of CinC's 553 recordings with a usable lead.
    # LUDB's headers say mV, but each of its leads spans exactly 1.000: scaled lead by lead.
    ludb = ["--columns.record", "ID", "--columns.patient_id", "ID", "--amplitude", "arbitrary"]
    jobs: list[tuple[str, Path, Path, list[str]]] = [
        ("ptbxl", corpora / "ptbxl_zscored/labels_dev.csv", source / "ptbxl",
         ["--amplitude", "arbitrary"]),
        ("cinc2011", corpora / "cinc2011/labels_dev.csv", source / "cinc2011",
         ["--columns.patient_id", "record", "--signal.min_leads", "1"]),
        ("ludb", corpora / "ludb/ludb.csv", corpora / "ludb/data", ludb),
    ]  # fmt: skip
    for name, table, records, more in jobs:
        out = folder / f"{name}.h5"
        if not out.is_file():
            run(["prepare", "cohort", "--table", str(table), "--source", str(records), "--out",
                 str(out), "--label", name, "--jobs", "2", *more, *segment])  # fmt: skip


def prepared(segment: str, rate_hz: float) -> Path:
    """Return the folder of the stores of a form, which are made where they are missing."""
    folder = DATA / f"{segment}_{rate_hz:g}_hz"
    prepare(folder, ["--signal.segment", segment, "--signal.sampling_rate_hz", str(rate_hz)])
    return folder


def run(arguments: list[str]) -> None:
    """Run one of the program's commands and stop where it fails."""
    print("$ lsemvae", " ".join(arguments), flush=True)
    code = lsemvae(arguments)
    if code:
        sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prepare the recordings, then compare methods or say what pre-training is worth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--methods", nargs="+", default=["table2"], help="as lsemvae benchmark")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), help="columns of PTB-XL's table")
    parser.add_argument("--segment", choices=["record", "median_beat"], default="median_beat")
    parser.add_argument("--rate_hz", type=float, default=100.0)
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time")
    parser.add_argument("--out", default="runs/public_benchmark", help="folder of the results")
    parser.add_argument("--worth", action="store_true", help="tables of docs/pretraining.md")
    parser.add_argument("--unseen", action="store_true", help="its table of unseen patients")
    parser.add_argument("--encoders", nargs="*", default=[], help="with --worth: not to be trained")
    parser.add_argument("--page", type=Path, default=PAGE, help="that gets the tables")
    parser.add_argument("--more", default="", help="with --worth: options of `lsemvae worth`")
    options = parser.parse_args(arguments)
    if "ECG_CORPORA" not in os.environ:
        sys.exit("error: set ECG_CORPORA to the folder of the public recordings")
    if options.worth:
        forms = [prepared(segment, 100.0) for segment in ("record", "median_beat")]
        measure(run, forms, Path(options.out), encoders=options.encoders, page=options.page,
                more=shlex.split(options.more))  # fmt: skip
        return
    if options.unseen:
        forms = unseen_recordings.Forms(
            *(prepared(each, 100.0) for each in ("record", "median_beat"))
        )
        unseen_recordings.measure(run, forms, DATA / "source", Path(options.out), page=options.page)
        return
    folder = prepared(options.segment, options.rate_hz)
    stores = [str(folder / f"{name}.h5") for name in STORES]
    run(["benchmark", "--cohort", stores[0], "--pretrain", json.dumps(stores), "--tasks",
         json.dumps(options.tasks), "--methods", json.dumps(options.methods), "--budget", "laptop",
         "--allow_leakage", "true", "--jobs", str(options.jobs), "--out", options.out])  # fmt: skip


if __name__ == "__main__":
    main()
