"""The tables of what pre-training is worth: every row, both differences, and the count."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import pretraining_worth as program
from benchmarks.worth_page import verdicts, worth_markdown
from lsemvae.evaluation.statistics.json_values import to_json
from lsemvae.evaluation.worth import LINEAR, MLP, worth_table

TASKS = ("CD", "NORM")


def found(gain: float) -> dict[str, Any]:
    """Return a study whose pre-trained row is better by `gain` standard deviations."""
    random = np.random.default_rng(0)
    label = (random.uniform(size=300) < 0.5).astype(float)
    cohort = pd.DataFrame(
        {"label": label, "patient_id": np.arange(300).astype(str), "fold": np.arange(300) % 3}
    )
    noise = random.normal(size=(2, 1, 300))
    rows = {("pretrained", 1.0): noise + (1 + gain) * label}
    for row in ("untrained", "random_convolutions", "pca"):
        rows[row, 1.0] = noise[:1] + label
    table = worth_table(cohort, {LINEAR: rows, MLP: rows})
    settings = {"probe": {"n_draws": 10, "strengths": [0.01]}, "n_twins": 5,
                "mlp": {"epochs": 20, "lr": 1e-3}, "mlp_fractions": [1.0, 0.1]}  # fmt: skip
    said = {"data": "made up", "n_records": 300, "n_patients": 300, "settings": settings,
            "encoder_saw_these_recordings": True}  # fmt: skip
    return to_json({**said, "rows": table})


def test_table_has_every_row_and_both_differences_for_each_head() -> None:
    studies = {"CD": found(0.5), "NORM": found(-0.5)}
    lines = [line.strip("| ").split(" | ") for line in worth_markdown("12L", studies).splitlines()]
    assert lines[0] == ["head, labels", "features, 12L", "CD", "NORM", "mean"]
    names = ["**pre-trained, 2 seeds**", "untrained twin", "random convolutions",
             "PCA of the samples", "larger class", "minus untrained twin",
             "minus random convolutions"]  # fmt: skip
    assert [line[1] for line in lines[2:]] == names * 2
    assert {line[0] for line in lines[2:]} == {"linear probe, 100 %", "publication's MLP, 100 %"}
    assert lines[6][2:] == ["0.500", "0.500", "0.500"]
    line = next(row for row in studies["CD"]["rows"] if row["row"] == "untrained")
    low, high = line["difference_low"], line["difference_high"]
    assert lines[7][2] == f"{line['difference']:+.3f} [{low:+.3f}, {high:+.3f}]"


@pytest.mark.parametrize(
    ("gains", "said"),
    [((0.5, -0.5), "on 1 of 2 tasks, the interval above 0 against both on 1; below one of them: "
                   "NORM."),
     ((0.5, 0.5), "on 2 of 2 tasks, the interval above 0 against both on 2.")],
)  # fmt: skip
def test_tasks_are_counted_where_neither_reference_is_better(
    gains: tuple[float, float], said: str
) -> None:
    studies = {name: found(gain) for name, gain in zip(TASKS, gains, strict=True)}
    lines = verdicts("6L", studies)
    assert len(lines) == 2
    assert all(line.startswith("- 6L, ") and line.endswith(said) for line in lines)


def test_seeds_are_pretrained_once_and_the_page_gets_tables_with_their_command(
    tmp_path: Path,
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n<!-- made by python -m {program.PROGRAM} -->\n<!-- end -->\nafter\n")
    ran: list[list[str]] = []

    def lsemvae(arguments: list[str]) -> None:
        ran.append(arguments)
        if arguments[0] == "worth":
            task = json.loads(arguments[arguments.index("--tasks") + 1])[0]
            for leads in program.LEADS.values():
                file = tmp_path / "out" / task / "worth" / leads / "references.json"
                file.parent.mkdir(parents=True)
                file.write_text(json.dumps(found(0.5)))
        else:
            folder = arguments[arguments.index("--trainer.default_root_dir") + 1]
            Path(folder, "checkpoints").mkdir(parents=True)

    stores = [tmp_path / "records", tmp_path / "beats"]
    (tmp_path / "out/encoders/seed_1").mkdir(parents=True)
    (tmp_path / "out/encoders/seed_1/finished").touch()
    more = ["--mlp", "false"]
    program.measure(lsemvae, stores, tmp_path / "out", encoders=[], page=page, more=more)
    assert [one[0] for one in ran] == ["fit", "fit", *["worth"] * 7]
    assert [one[one.index("--seed_everything") + 1] for one in ran[:2]] == ["0", "2"]
    made = page.read_text()
    assert made.startswith("before")
    assert made.endswith("after\n")
    assert "300 recordings of 300 patients (made up)" in made
    assert "--mlp false" in made
    assert "MLP: 20 epochs at 0.001, on standardised features, with 100 % and 10 % of the" in made
    assert made.count("| **pre-trained, 2 seeds** |") == 4
