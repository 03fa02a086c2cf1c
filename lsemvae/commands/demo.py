"""Walk the whole way on synthetic data; a step that is done is not done again."""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_modules.progress import counted_progress
from data_modules.signals.settings import SignalSettings
from lsemvae.core.errors import InputError
from lsemvae.core.experiments import experiment
from lsemvae.core.printable import say
from lsemvae.core.tasks import PRESSURE_TASKS

if TYPE_CHECKING:
    from lsemvae.crossval.settings import CvSettings

DATA = Path("data/demo")
COHORT, PRETRAINING = str(DATA / "cohort.h5"), str(DATA / "mimic.h5")
RUNS = Path("runs/demo")
REPORT = Path("reports/demo")
MODEL = RUNS / "model.safetensors"
N_PATIENTS = 892
N_PRETRAINING_PATIENTS = 1000
N_NEW_PATIENTS = 7  # the fewest that can be drawn


def demo() -> None:
    """Walk the whole way on synthetic data: pre-train, cross-validate, report, lock."""
    from lsemvae.commands.report import report
    from lsemvae.crossval.printed import run_and_print
    from lsemvae.crossval.settings import CvSettings

    say("twelve steps, about four minutes where nothing else runs; what is done is not done again")
    cohort, encoder = demo_cohort(), demo_encoder()
    for task in PRESSURE_TASKS:
        for leads in (12, 6):
            _announce(f"cross-validating {task} on {leads} leads")
            settings = CvSettings(task, leads)
            run_and_print(settings, cohort, RUNS / "cv", encoder=encoder)
    _announce("writing the report")
    report(
        [str(RUNS / "cv")],
        cohort=cohort,
        pretrain=str(RUNS / "pretrain"),
        out=str(REPORT),
        title="LS-EMVAE demo on synthetic recordings",
    )
    demo_model(cohort, encoder)
    demo_prediction()


def refuse_for_demo(asked: Iterable["CvSettings"], pretrain: Iterable[str] | None = None) -> None:
    """Refuse what the demo's cohort cannot answer, before it is made: that takes minutes.

    Args:
        asked: settings of the cross-validations.
        pretrain: stores for pre-training that were named.

    Raises:
        InputError: a task or a column of folds that the cohort lacks, or a store that is not there.
    """
    from data_modules.cohort.labels import number_values, task_labels
    from data_modules.simulation.cohort import draw_cohort
    from data_modules.store.mark import STORE, read_mark

    table = draw_cohort(N_PATIENTS, rng=np.random.default_rng(0)).table
    for one in asked:
        if one.fold_column is not None and one.fold_column not in table:
            raise InputError(
                f"the demo's cohort has no column {one.fold_column!r} for the folds; leave "
                "--fold_column out, or name your store with --cohort"
            )
        values = number_values if one.target.kind == "number" else task_labels
        for name in one.target.names:
            values(table, name, one.thresholds)
    for store in pretrain or ():
        read_mark(Path(store), STORE)


def still_to_make() -> str:
    """Say that the demo's recordings have to be made, where they are not there yet."""
    if all(Path(store).is_file() for store in (COHORT, PRETRAINING)):
        return ""
    return "; making it, and pre-training on such recordings, takes some minutes, once"


def demo_cohort() -> str:
    """Return the demo's cohort, written as WFDB files and prepared where it is missing."""
    from data_modules.conversion.prepare import prepare_cohort
    from data_modules.simulation.files import write_cohort

    store, table = Path(COHORT), DATA / "cohort/cohort.csv"
    if not table.is_file():
        _announce("writing a synthetic cohort")
        with counted_progress("writing recordings") as progress:
            write_cohort(table.parent, n_patients=N_PATIENTS, progress=progress)
    if not store.is_file():
        _announce("reading the cohort into a store")
        prepare_cohort(
            str(table), str(table.parent / "records"), str(store), signal=_median_beats(),
            label="synthetic cohort",
        )  # fmt: skip
    return str(store)


def demo_pretraining() -> str:
    """Return the demo's recordings for pre-training, written and prepared where missing."""
    from data_modules.conversion.prepare import prepare_mimic
    from data_modules.simulation.files import write_mimic

    store, listing = Path(PRETRAINING), DATA / "mimic/record_list.csv"
    if not listing.is_file():
        _announce("writing synthetic recordings for pre-training")
        with counted_progress("writing recordings") as progress:
            write_mimic(
                listing.parent, n_patients=N_PRETRAINING_PATIENTS, seed=1, progress=progress
            )
    if not store.is_file():
        _announce("reading them into a store")
        prepare_mimic(
            str(listing.parent), str(store), signal=_median_beats(), label="synthetic ECGs"
        )
    return str(store)


def demo_encoder() -> str:
    """Return the demo's encoder, pre-trained on recordings of its own where it is missing."""
    from lsemvae.lightning_cli import run_lightning

    demo_pretraining()
    encoder, finished = RUNS / "pretrain/checkpoints/last.ckpt", RUNS / "pretrain/finished"
    if not (finished.is_file() and encoder.is_file()):
        _announce("pre-training a small LS-EMVAE")
        begun = ["--ckpt_path", str(encoder)] if encoder.is_file() else []
        config = str(experiment("demo/pretrain.yaml"))
        run_lightning(["fit", "--config", config, *begun], others_follow=True)
        finished.touch()
    return str(encoder)


def demo_model(cohort: str, encoder: str) -> None:
    """Lock one model of the demo's detection study on twelve leads.

    Args:
        cohort: from `demo_cohort`.
        encoder: from `demo_encoder`.
    """
    from lsemvae.commands.lock import lock

    _announce("locking one model of the folds")
    lock(str(RUNS / "cv/detection/ls_emvae/12L"), cohort=cohort, out=str(MODEL), encoder=encoder)


def demo_prediction() -> None:
    """Predict a loose file of a patient who is in no cohort, and name the page's command.

    A model may withhold any recording; then the next patient's is taken, and said so.
    """
    from data_modules.simulation.files import write_cohort
    from lsemvae.commands.predict import predict
    from lsemvae.predicting.run import NoResultError

    folder = DATA / "new_patients"
    if not (folder / "cohort.csv").is_file():
        write_cohort(folder, n_patients=N_NEW_PATIENTS, seed=2)
    for header in sorted((folder / "records").glob("*.hea")):
        _announce(f"predicting {header}, a SYNTHETIC recording of a new patient")
        try:
            predict(str(MODEL), [str(header)], out=str(RUNS / "prediction.csv"))
        except NoResultError as withheld:
            say(f"note: {withheld}")
        else:
            break
    say(f"\nA page for such files: {_program()} serve {MODEL}")
    say(f"Drop {header.name} and {header.with_suffix('.dat').name} of {header.parent} on it.")


def _program() -> str:
    """Return what a shell finds: the name where it lies on PATH, else the path it was called by."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "lsemvae" and not shutil.which("lsemvae") else "lsemvae"


def _median_beats() -> SignalSettings:
    return SignalSettings(sampling_rate_hz=250.0, segment="median_beat")


def _announce(step: str) -> None:
    say(f"\n== demo: {step}", flush=True)
