"""`lsemvae demo`: the whole way on synthetic data; every step that is done is not done again."""

from dataclasses import replace
from pathlib import Path

from lsemvae.errors import InputError

DATA = Path("data/demo")
RUNS = Path("runs/demo")
REPORT = Path("reports/demo")
CONFIG = Path("experiments/demo/pretrain.yaml")
N_PATIENTS = 892
N_PRETRAINING_PATIENTS = 1000


def demo() -> None:
    """Build a synthetic cohort, pre-train, cross-validate both tasks on 12 and 6 leads, report."""
    from lsemvae.commands.cv import cross_validate
    from lsemvae.commands.report import report

    cohort, encoder = demo_cohort_and_encoder()
    for task in ("detection", "phenotype"):
        for leads in (12, 6):
            _announce(f"cross-validating {task} on {leads} leads")
            cross_validate(task, leads, cohort=cohort, encoder=encoder, out=str(RUNS / "cv"))
    _announce("writing the report")
    report(
        str(RUNS / "cv"),
        cohort,
        pretrain=str(RUNS / "pretrain"),
        out=str(REPORT),
        title="LS-EMVAE demo on synthetic recordings",
    )


def demo_cohort_and_encoder() -> tuple[str, str]:
    """Return the demo's cohort and encoder, made first where they are missing."""
    if not CONFIG.is_file():
        raise InputError(f"{CONFIG} not found; run the demo in the folder of the checkout")
    pretraining, cohort = DATA / "mimic.h5", DATA / "cohort.h5"
    if not (pretraining.is_file() and cohort.is_file()):
        _recordings(pretraining, cohort)
    encoder, finished = RUNS / "pretrain/checkpoints/last.ckpt", RUNS / "pretrain/finished"
    if not (finished.is_file() and encoder.is_file()):
        _announce("pre-training a small LS-EMVAE")
        from lsemvae.lightning_cli import run_lightning

        run_lightning(["fit", "--config", str(CONFIG)])
        finished.touch()
    return str(cohort), str(encoder)


def _recordings(pretraining: Path, cohort: Path) -> None:
    """Write synthetic WFDB files and prepare them as real ones would be."""
    from data_modules.prepare import prepare_cohort, prepare_mimic
    from data_modules.signal import SignalSettings
    from lsemvae.commands.synthesize import synthesize

    _announce("writing synthetic recordings")
    listed = (DATA / "cohort/cohort.csv", DATA / "mimic/record_list.csv")
    if not all(file.is_file() for file in listed):
        synthesize(str(DATA), n_patients=N_PATIENTS, n_pretraining_patients=N_PRETRAINING_PATIENTS)
    _announce("reading them into stores")
    beats = replace(SignalSettings(), sampling_rate_hz=250.0, segment="median_beat")
    prepare_mimic(str(DATA / "mimic"), str(pretraining), signal=beats, label="synthetic ECGs")
    prepare_cohort(
        str(listed[0]), str(DATA / "cohort/records"), str(cohort), signal=beats,
        label="synthetic cohort",
    )  # fmt: skip


def _announce(step: str) -> None:
    print(f"\n== demo: {step}", flush=True)
