import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from importlib.metadata import distributions, version
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pandas as pd
import pytest

from data_modules.store.read import EcgStore
from lsemvae.callbacks import BetaAnnealing
from lsemvae.cli import main
from lsemvae.command_table import COMMANDS, help_text, load, summary
from lsemvae.lightning_cli import build_cli
from lsemvae.runtime.exit_code import exit_code
from tests.conftest import ROOT, cv, error_of, tiny_network


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert printed == help_text() * 2
    for command in COMMANDS:
        assert f"  {command} " in printed


@pytest.mark.parametrize("name", COMMANDS)
def test_summary_of_a_command_is_the_first_line_of_its_docstring(name: str) -> None:
    described = str(load(name).__doc__).splitlines()[0]
    assert summary(name) == described
    assert described.endswith((".", "`."))
    assert len(described) <= 80


def test_help_starts_without_torch() -> None:
    code = (
        "import sys; from lsemvae.cli import main; main(['--help'])\n"
        "try: main(['prepare', 'cohort', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit('torch' in sys.modules or 'lightning' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode
        == 0
    )


def test_only_our_distribution_declares_the_script_lightning() -> None:
    owners = [
        distribution.metadata["Name"]
        for distribution in distributions()
        for entry in distribution.entry_points
        if entry.group == "console_scripts" and entry.name == "lightning"
    ]
    assert owners == ["lsemvae"]


def test_module_and_scripts_are_the_same_program() -> None:
    module = subprocess.run(
        [sys.executable, "-m", "lsemvae", "--help"], capture_output=True, text=True, check=True
    )
    for script in ("lsemvae", "lightning"):
        path = Path(sys.executable).parent / script
        found = subprocess.run([path, "--help"], capture_output=True, text=True, check=True)
        assert found.stdout == module.stdout == help_text()


def test_unknown_command_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cross-validate"]) == 2
    assert "unknown command 'cross-validate'" in error_of(capsys)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["bencmark"], "unknown command 'bencmark'; did you mean benchmark?"),
        (["CV"], "unknown command 'CV'; did you mean cv?"),
        (["table1", "--run", "x"], "unrecognized arguments: --run x; see lsemvae table1 --help"),
        (["completion"], "options are required: --shell (bash or zsh or fish); see"),
        (["prepar"], "unknown command 'prepar'; did you mean prepare?"),
        (["chek", "cohort"], "unknown command 'chek'; did you mean check?"),
        (["prepare", "cohrt"], "unknown command 'prepare cohrt'; did you mean prepare cohort?"),
        (["prepare"], "prepare needs one more word: mimic, cohort, archive, mimic-rhc"),
        (["zzz"], "unknown command 'zzz'; see lsemvae --help"),
        (["cv", "--leeds", "6"], "unrecognized arguments: --leeds 6; did you mean --leads?"),
        (["table1", "--task", "detection"], "no option --task; did you mean --tasks?"),
        (["cv", "--co", "a.h5"], "no option --co; did you mean --config or --cohort?"),
        (["view", "a", "--signal.hihg_hz=5"], "did you mean --signal.high_hz?"),
        (["view"], "options are required: --record; see lsemvae view --help"),
        (["plan"], "options are required: --prevalence, --auroc; see lsemvae plan --help"),
        (["fit"], "options are required: --data, --model; a YAML file gives them: --config FILE"),
        (["sweep", "a.yaml", "--jobs", "abc"], "--jobs takes a whole number, got 'abc'"),
        (["plan", "--prevalence", "x", "--auroc", ".8"], "--prevalence takes a number, got 'x'"),
        (["cv", "--size", "huge"], "--size takes paper or small, got 'huge'"),
        (["plan", "--prevalence", "0,3", "--auroc", ".8"], "got '0,3'; write 0.3; see"),
        (["plan", "--prevalence", "30%", "--auroc", ".8"], "got '30%'; write 0.3; see"),
        (["cv", "--mpap_threshold_mmhg", "25mmHg"], "got '25mmHg'; write 25; see"),
        (["link", "--window_days", "4weeks"], "a whole number, got '4weeks'; see"),
        (["cv", "--mpap_threshold_mmhg", "30%"], "a number, got '30%'; see"),
        (["link", "--ids", "blanks"], "--ids takes names with values, such as"),
        (["prepare", "cohort", "--columns", "mpap_mmhg=PAP"], "; write --columns.mpap_mmhg=PAP;"),
        (["worth", "--fractions", "10%"], "--fractions takes a list of numbers, got"),
        (["fit", "x.yaml"], "unrecognized arguments: x.yaml; did you mean --config x.yaml?"),
        (["cv", "--task", "detection", "phenotype"], "at once: --task detection,phenotype; for"),
        (["cv", "x.yaml"], "'x.yaml' is no task; did you mean --config x.yaml?"),
        (["explain", "--run=r", "--cohort=c", "--pictures=-1"],
         "--pictures must be 0 or more, got -1"),
        (["cv", "--epochs", "3,5"], "--epochs takes a whole number, got '3,5'; see"),
        (["plan", "--prevalence", ".3", "--auroc", ".8", "--n_patients", "1"],
         "error: --n_patients must be at least 2, got 1"),
        (["view", "a", "--signal.low_hz", "50", "--signal.min_leads", "13"],
         "--signal.low_hz must be in 0.01 to 5, got 50.0; --signal.min_leads must be in 1 to 12"),
        (["report", "runs", "--title", ""], "--title needs a value, got ''"),
        (["cv", "--leads", "limb"], "or 12, or 6 for the limb leads"),
        (["cv", "--seeds", "x"], "--seeds takes a whole number, got 'x'"),
        (["cv", "--inner", "maybe"], "--inner takes true or false, got 'maybe'"),
        (["cv", "--task"], "--task needs a value"),
        (["benchmark", "--tasks", "3"], "--tasks takes a list of text, got '[3]'"),
        (["explain", "r", "--cohort", "c", "--baseline", "zero"],
         "--baseline takes isoelectric or mean_ecg or recordings, got 'zero'"),
        (["prepare", "cohort", "--table=t", "--source=s", "--out=o", "--signal.low_hz", "low"],
         "--signal.low_hz takes a number, got 'low'"),
        (["check", "cohort", "--table", "t.csv", "--expected.PH=abc"],
         "--expected.PH takes a whole number, got 'abc'"),
        (["check", "cohort", "--table", "t.csv", "--expected={PH: abc}"],
         "--expected takes a whole number for each name, got {'PH': 'abc'}"),
        (["fit", "--trainer.max_epochs", "x"], "--trainer.max_epochs takes a whole number"),
        (["fit", "--model", "x"], "--model takes the path of a class, got 'x'"),
        (["--verison"], "unknown command '--verison'; did you mean --version?"),
        (["fit", "--trainer.max_epoochs", "3"], "did you mean --trainer.max_epochs?"),
        (
            ["fit", "--config", str(ROOT / "experiments/demo/pretrain.yaml"),
             "--data.init_args.batchsize", "3"],
            "MimicEcg takes no 'batchsize'; did you mean batch_size?",
        ),
    ],
)  # fmt: skip
def test_misspelt_words_get_one_line_with_the_word_that_was_meant(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert expected in error_of(capsys)


def test_a_configuration_with_an_unknown_name_says_which_was_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cv.yaml"
    file.write_text("tsk: detection\n")
    assert main(["cv", "--config", str(file)]) == 2
    assert "a configuration takes no 'tsk' here; did you mean task?" in error_of(capsys)
    file.write_text("cv:\n  task: detection\n")
    assert main(["cv", "--config", str(file)]) == 2
    assert "a configuration takes no 'cv.task' here; did you mean task?" in error_of(capsys)
    file.write_text("trainer: {max_epoch: 3}\n")
    assert main(["fit", "--config", str(file)]) == 2
    assert "takes no 'trainer.max_epoch' here; did you mean trainer.max_epochs?" in error_of(capsys)


@pytest.mark.parametrize(
    ("path", "meant"),
    [("lsemvae.tasks.Clasifier", "Classifier"), ("lsemvae.models.ResNet", "ResNet1d"),
     ("data_modules.RhcCohrt", "RhcCohort"),
     ("lightning.pytorch.loggers.CSVLoger", "lightning.pytorch.loggers.CSVLogger")],
)  # fmt: skip
def test_a_misspelt_class_of_a_configuration_says_which_was_meant(
    path: str, meant: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "experiments/detection/resnet1d_12l.yaml").read_text()
    file = tmp_path / "f.yaml"
    file.write_text(text.replace(f"{path.rpartition('.')[0]}.{meant.rpartition('.')[2]}", path))
    assert main(["fit", "--config", str(file)]) == 2
    assert f"{path}; did you mean {meant}?" in error_of(capsys)


def test_a_terminal_that_lacks_a_letter_gets_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = BytesIO()
    monkeypatch.setattr("sys.stdout", TextIOWrapper(written, encoding="ascii"))
    out = str(tmp_path / "plan")
    assert main(["plan", "--prevalence", ".3", "--auroc", ".8", "--out", out]) == 0
    sys.stdout.flush()
    assert b"AUROC 0.80            | \\xb1 0.05" in written.getvalue()


def test_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"lsemvae {version('lsemvae')}\n"


@pytest.mark.parametrize(
    ("words", "meant"),
    [("version", "--version"), ("-V", "--version"), ("help", "--help"), ("help check", "check -h")],
)
def test_words_by_which_other_programs_are_asked(
    words: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 0
    said = capsys.readouterr().out
    assert main(meant.split()) == 0
    assert said == capsys.readouterr().out


def test_help_of_a_group_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--help"]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[2] for line in printed.splitlines()] == ["cohort", "tables"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--data.init_args.leads", "7"], "leads must be 12, 6"),
        (["--data.init_args.fold", "9"], "fold must be in 0..4"),
        (["--model.init_args.encoder", "none.ckpt"], "no encoder none.ckpt"),
        (["--data.init_args.store", "none.h5"], "none.h5"),
        (["--model.init_args.leads", "6"], "give them to the data only"),
    ],
)
def test_bad_configuration_is_one_line_and_touches_nothing(
    cohort: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    config = str(ROOT / "experiments/detection/ls_emvae_12l.yaml")
    given = ["--model.init_args.encoder", str(encoder), "--data.init_args.store", str(cohort)]
    assert main(["fit", "--config", config, *given, *arguments]) == 2
    assert expected in error_of(capsys)
    assert list(tmp_path.iterdir()) == []


def test_trained_head_predicts_new_recordings(
    cohort: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert cv(cohort, encoder, tmp_path / "cv", "--folds", "5") == 0
    fold = tmp_path / "cv/detection/ls_emvae/12L/fold_0"
    common = ["--config", str(ROOT / "experiments/detection/ls_emvae_12l.yaml"),
              "--model.init_args.encoder", str(encoder), "--data.init_args.store", str(cohort),
              "--data.init_args.splits", str(tmp_path / "cv/detection/splits.json")]  # fmt: skip
    head = ["--ckpt_path", str(fold / "last.ckpt")]
    out = tmp_path / "runs/detection/ls_emvae_12l/predictions.csv"
    assert main(["test", *common, *head]) == 0
    expected = pd.read_csv(fold / "predictions.csv").set_index("record")
    tested = out.with_name("test_predictions.csv")
    found = pd.read_csv(tested).set_index("record").loc[expected.index]
    pd.testing.assert_frame_equal(found, expected, rtol=1e-4)
    assert main(["predict", *common, *head, "--data.init_args.fold", "null"]) == 0
    assert len(pd.read_csv(out)) == len(EcgStore(cohort))
    capsys.readouterr()
    assert main(["predict", *common]) == 2
    assert "needs --ckpt_path" in error_of(capsys)


def test_second_fit_replaces_the_checkpoint_and_validate_keeps_the_log(
    pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = ["--config", str(ROOT / "experiments/demo/pretrain.yaml"), *tiny_network(),
              "--data.init_args.store", str(pretraining), "--trainer.max_epochs", "1",
              "--trainer.enable_progress_bar", "false"]  # fmt: skip
    run = tmp_path / "runs/demo/pretrain"
    for seed in ("1", "2"):
        assert main(["fit", *config, "--seed_everything", seed, "--overwrite", "true"]) == 0
    left = sorted(file.name for file in (run / "checkpoints").iterdir())
    assert left == ["last.ckpt", "last.ckpt.sha256"]
    log = (run / "metrics.csv").read_text()
    checkpoint = str(run / "checkpoints/last.ckpt")
    assert main(["validate", *config, "--ckpt_path", checkpoint]) == 0
    assert (run / "metrics.csv").read_text() == log


@pytest.mark.parametrize("given", [[], ["--ckpt_path", "last"]])
def test_weights_as_they_were_drawn_are_not_measured(
    given: list[str], pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    config = ["--config", str(ROOT / "experiments/demo/pretrain.yaml"), *tiny_network(),
              "--data.init_args.store", str(pretraining)]  # fmt: skip
    assert main(["validate", *config, *given]) == 2
    assert "validate needs --ckpt_path=FILE" in error_of(capsys)


@pytest.mark.parametrize("subcommand", ["test", "predict"])
def test_subcommand_without_a_step_names_the_one_that_has_one(
    subcommand: str, pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    config = ["--config", str(ROOT / "experiments/demo/pretrain.yaml"), *tiny_network(),
              "--data.init_args.store", str(pretraining)]  # fmt: skip
    assert main([subcommand, *config]) == 2
    line = f"Pretrainer has no {subcommand}; `lsemvae validate` takes this configuration"
    assert line in error_of(capsys)


def test_option_beta_is_the_end_of_beta_annealing(
    pretraining: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    given = ["--config", str(ROOT / "experiments/demo/pretrain.yaml"), *tiny_network(), "--beta",
             "2.5", "--data.init_args.store", str(pretraining)]  # fmt: skip
    cli = build_cli(given, run=False)
    (annealing,) = [one for one in cli.trainer.callbacks if isinstance(one, BetaAnnealing)]
    assert annealing.end == 2.5
    assert main(["fit", *given, "--trainer.callbacks", "[]"]) == 2
    assert "--beta sets the end of one BetaAnnealing among the callbacks, found 0" in error_of(
        capsys
    )


@pytest.mark.parametrize(
    ("terminal", "words", "told"),
    [(True, ["cv"], True), (True, ["prepare", "mimic"], True), (True, ["lock"], True),
     (True, ["cv", "--help"], False),
     (True, ["check", "cohort"], False), (False, ["cv"], False)],
)  # fmt: skip
def test_a_terminal_is_told_that_a_long_command_loads_first(
    terminal: bool, words: list[str], told: bool, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with suppress(SystemExit):  # the help's
        main([*words, "--no_such_option", "1"])
    assert ("loading libraries: some seconds" in capsys.readouterr().err) == told


def test_a_command_whose_package_is_not_installed_says_so_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_code(lambda: import_module("torch_of_nobody.nn")) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: this command needs the package torch_of_nobody, which is not ")
    assert said.count("\n") == 1
    with pytest.raises(ModuleNotFoundError):  # a defect of ours keeps its traceback
        exit_code(lambda: import_module("lsemvae.nothing_of_this_name"))
