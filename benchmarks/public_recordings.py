"""Run the benchmark of Table 2 on public recordings: `make public`.

The environment variable ECG_CORPORA names the folder of the recordings: 1,442 of PTB-XL (z-scored
per lead), 600 of the CinC challenge 2011 and 200 of LUDB. All of them are used for pre-training,
PTB-XL's for cross-validation: the encoders have seen the test recordings, without labels.
Everything goes through the command line, as a user would go.
"""

import argparse
import json
import os
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

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
    # LUDB's headers say mV, but each of its leads spans exactly 1.000: scaled lead by lead.
    ludb = ["--columns.record", "ID", "--columns.patient_id", "ID", "--amplitude", "arbitrary"]
    jobs: list[tuple[str, Path, Path, list[str]]] = [
        ("ptbxl", corpora / "ptbxl_zscored/labels_dev.csv", source / "ptbxl",
         ["--amplitude", "arbitrary"]),
        ("cinc2011", corpora / "cinc2011/labels_dev.csv", source / "cinc2011",
         ["--columns.patient_id", "record"]),
        ("ludb", corpora / "ludb/ludb.csv", corpora / "ludb/data", ludb),
    ]  # fmt: skip
    for name, table, records, more in jobs:
        out = folder / f"{name}.h5"
        if not out.is_file():
            run(["prepare", "cohort", "--table", str(table), "--source", str(records), "--out",
                 str(out), "--label", name, "--jobs", "2", *more, *segment])  # fmt: skip


def run(arguments: list[str]) -> None:
    """Run one of the program's commands and stop where it fails."""
    print("$ lsemvae", " ".join(arguments), flush=True)
    code = lsemvae(arguments)
    if code:
        sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prepare the recordings and compare methods on them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--methods", nargs="+", default=["table2"], help="as lsemvae benchmark")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), help="columns of PTB-XL's table")
    parser.add_argument("--segment", choices=["record", "median_beat"], default="median_beat")
    parser.add_argument("--rate_hz", type=float, default=100.0)
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time")
    parser.add_argument("--out", default="runs/public_benchmark", help="folder of the results")
    options = parser.parse_args(arguments)
    if "ECG_CORPORA" not in os.environ:
        sys.exit("error: set ECG_CORPORA to the folder of the public recordings")
    folder = DATA / f"{options.segment}_{options.rate_hz:g}_hz"
    prepare(folder, ["--signal.segment", options.segment, "--signal.sampling_rate_hz",
                     str(options.rate_hz)])  # fmt: skip
    stores = [str(folder / f"{name}.h5") for name in STORES]
    run(["benchmark", "--cohort", stores[0], "--pretrain", json.dumps(stores), "--tasks",
         json.dumps(options.tasks), "--methods", json.dumps(options.methods), "--budget", "laptop",
         "--allow_leakage", "true", "--jobs", str(options.jobs), "--out", options.out])  # fmt: skip


if __name__ == "__main__":
    main()
