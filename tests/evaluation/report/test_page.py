"""The page and report.json of two tasks with two methods, without a store."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from matplotlib.layout_engine import ConstrainedLayoutEngine
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    matthews_corrcoef,
    roc_auc_score,
)
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from lsemvae.core.errors import InputError
from lsemvae.core.files import write_text
from lsemvae.core.sealed_json import write_json
from lsemvae.evaluation.report.blocks import Table, Text
from lsemvae.evaluation.report.curves import legend, panel
from lsemvae.evaluation.report.evidence import (
    ENTROPY,
    POSTERIOR,
    Evidence,
    PretrainEvidence,
    RunEvidence,
)
from lsemvae.evaluation.report.gather import find_runs, with_statistics
from lsemvae.evaluation.report.html import unbroken
from lsemvae.evaluation.report.page import FORMAT, check_report_folder, write_report
from lsemvae.evaluation.report.provenance import provenance_section
from tests.conftest import LAY_OUT
from tests.report_runs import labelled_patients, write_run

METHODS = {"ls_emvae": 1, "multimodal_cnn": 2}
TASKS = ("detection", "older")


def report_of(root: Path, out: Path) -> tuple[str, dict[str, Any]]:
    """Return page and numbers of all runs below a folder."""
    runs, notes = find_runs([str(root)])
    plain = [run for run in runs if run.metrics.get("permute_labels") is None]
    evidence = Evidence(
        title="A report",
        runs=[
            with_statistics(run, cohort=None, labels=lambda _: None, subgroups=["sex"],
                            n_resamples=200)
            for run in plain
        ],
        permuted=[run for run in runs if run not in plain],
        n_resamples=200,
        notes=notes,
    )  # fmt: skip
    page = write_report(evidence, out)
    return page.read_text(), json.loads((out / "report.json").read_text())


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    for number, task in enumerate(TASKS):
        for method, seed in METHODS.items():
            write_run(folder / "cv", labelled_patients(seed=number), task=task, method=method,
                      seed=10 * number + seed)  # fmt: skip
    report_of(folder / "cv", folder / "page")
    return folder


@pytest.fixture(scope="module")
def numbers(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "page/report.json").read_text())
    return found


@pytest.fixture(scope="module")
def page(out: Path) -> str:
    return (out / "page/index.html").read_text()


def predictions(out: Path, key: str) -> pd.DataFrame:
    return pd.read_csv(out / "cv" / key / "predictions.csv")


def by_fold(table: pd.DataFrame) -> "pd.Series[float]":
    """Return the AUROC of every fold."""
    parts = {fold: roc_auc_score(part["label"], part["probability"])
             for fold, part in table.groupby("fold")}  # fmt: skip
    return pd.Series(parts)


KEYS = [f"{task}/{method}/12L" for task in TASKS for method in METHODS]


@pytest.mark.parametrize("key", KEYS)
def test_metrics_agree_with_scikit_learn(out: Path, numbers: dict[str, Any], key: str) -> None:
    table = predictions(out, key)
    label, probability = table["label"], table["probability"]
    called = probability >= 0.5
    pooled = numbers["sections"]["results"]["facts"]["pooled"][key]
    assert pooled["auroc_delong"]["value"] == pytest.approx(roc_auc_score(label, probability))
    expected = {
        "average_precision": average_precision_score(label, probability),
        "accuracy": accuracy_score(label, called),
        "mcc": matthews_corrcoef(label, called),
        "brier": brier_score_loss(label, probability),
    }
    for name, value in expected.items():
        assert pooled["bootstrap"][name]["value"] == pytest.approx(value), name
        assert pooled["bootstrap"][name]["low"] < value < pooled["bootstrap"][name]["high"]
    auroc = by_fold(table)
    folds = numbers["sections"]["results"]["facts"]["folds"][key]
    assert [row["auroc"] for row in folds["values"]] == pytest.approx(auroc.tolist())
    assert folds["sd"]["auroc"] == pytest.approx(auroc.std(ddof=1))
    within = numbers["sections"]["results"]["facts"]["within_folds"][key]
    assert within["value"] == pytest.approx(auroc.mean())
    assert within["low"] < auroc.mean() < within["high"]


@pytest.mark.parametrize("key", KEYS)
def test_calibration_and_operating_points_agree_with_statsmodels(
    out: Path, numbers: dict[str, Any], key: str
) -> None:
    table = predictions(out, key)
    log_odds = np.log(table["probability"] / (1 - table["probability"]))
    fit = sm.GLM(table["label"], sm.add_constant(log_odds), sm.families.Binomial()).fit()
    found = numbers["sections"]["calibration"]["facts"][key]["as_predicted"]
    assert found["slope"]["value"] == pytest.approx(fit.params.iloc[1], rel=1e-5)
    assert found["slope"]["low"] == pytest.approx(fit.conf_int().iloc[1, 0], rel=1e-4)
    point = numbers["sections"]["operating"]["facts"][key]["fixed"]
    positive = table[table["label"] == 1]
    n_called = int((positive["probability"] >= 0.5).sum())
    low, high = proportion_confint(n_called, len(positive), method="wilson")
    sensitivity = point["accuracy"]["sensitivity"]
    assert sensitivity["value"] == pytest.approx(n_called / len(positive))
    assert (sensitivity["low"], sensitivity["high"]) == pytest.approx((low, high))
    ppv = point["at_prevalence"]["0.03"]["ppv"]["value"]
    specificity = point["accuracy"]["specificity"]["value"]
    bayes = 0.03 * n_called / len(positive)
    assert ppv == pytest.approx(bayes / (bayes + 0.97 * (1 - specificity)))


@pytest.mark.parametrize("task", TASKS)
def test_comparisons_are_differences_with_holm_correction(
    out: Path, numbers: dict[str, Any], task: str
) -> None:
    (pair,) = numbers["sections"]["results"]["facts"]["comparisons"][task]
    first, second = (by_fold(predictions(out, f"{task}/{method}/12L")).mean() for method in METHODS)
    assert pair["delong"]["difference"]["value"] == pytest.approx(first - second)
    adjusted = multipletests([pair["delong"]["p"]], method="holm")[1][0]
    assert pair["delong_p_holm"] == pytest.approx(adjusted)


class Reader(HTMLParser):
    """Collect what has to be self-contained and readable without eyes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_page_needs_no_other_file(page: str) -> None:
    reader = Reader()
    reader.feed(page)
    assert "http://" not in page
    assert "https://" not in page
    assert not reader.of("script")
    assert not reader.of("link")
    assert "@import" not in page
    assert "url(" not in page
    sources = [image["src"] or "" for image in reader.of("img")]
    assert len(sources) >= 12
    assert all(source.startswith("data:image/") for source in sources)
    anchors = {attributes.get("id") for _, attributes in reader.found}
    for link in reader.of("a"):
        assert (link["href"] or "").startswith("#")
        assert (link["href"] or "")[1:] in anchors


def test_page_is_accessible(page: str) -> None:
    reader = Reader()
    reader.feed(page)
    assert reader.of("html") == [{"lang": "en"}]
    assert all((image["alt"] or "").strip() for image in reader.of("img"))
    assert all(cell.get("scope") in ("col", "row") for cell in reader.of("th"))
    assert page.count("<caption>") == page.count("<table")
    assert page.count("<figcaption>") == page.count("<img")
    assert 'class="skip" href="#main"' in page
    assert len(reader.of("h1")) == 1
    headers = re.findall(r"<th [^>]*>(.*?)</th>", page)
    assert all(headers)


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    share = np.array([int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)])
    linear = np.where(share <= 0.03928, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_text_has_contrast(page: str) -> None:
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", page))
    on = {"ink": "#fff", "muted": colours["note-paper"], "accent": "#fff",
          "warn": colours["warn-paper"]}  # fmt: skip
    for text, paper in on.items():
        light, dark = luminance(paper), luminance(colours[text])
        assert (light + 0.05) / (dark + 0.05) >= 4.5, text


def test_every_caption_names_the_data(numbers: dict[str, Any]) -> None:
    general = ("provenance", "tripod")
    captions = [
        shown["caption"]
        for name, section in numbers["sections"].items() if name not in general
        for shown in section["tables"] + section["figures"]
    ]  # fmt: skip
    assert len(captions) > 25
    for caption in captions:
        assert "simulated (SYNTHETIC data)" in caption


def test_every_curve_says_of_how_many_records_it_is(numbers: dict[str, Any]) -> None:
    curves = [
        shown["caption"]
        for name in ("curves", "calibration", "decisions", "abstention")
        for shown in numbers["sections"][name]["figures"]
    ]
    assert len(curves) > 6
    for caption in curves:
        assert re.search(r"\d+ records of \d+ patients, \d+ records positive", caption), caption


def test_a_column_of_words_is_set_flush_left_though_some_begin_with_a_number() -> None:
    rows = [["A", "90 % sensitivity", "40-49", "0.80 [0.75, 0.85]", "250 Hz", "117 (58.2 %)"],
            ["B", "Youden", "below 40", "not shown: 4 records are too few", "1 kHz", "<0.001"],
            ["C", "one half", "50-59", "0.70 [0.61, 0.79]", "5 Hz", "-"]]  # fmt: skip
    assert Table("", ["model", "rule", "group", "AUROC", "rate", "n"], rows).words == [0, 1, 2]


def test_every_cell_and_figure_of_the_page_is_in_the_files(
    out: Path, page: str, numbers: dict[str, Any]
) -> None:
    sections = numbers["sections"].values()
    cells = {unbroken(cell) for section in sections for table in section["tables"]
             for row in table["rows"] for cell in row}  # fmt: skip
    shown = [re.sub("</?(?:strong|u)>", "", html.unescape(cell))
             for cell in re.findall(r"<td[^>]*>(.*?)</td>", page)]  # fmt: skip
    assert len(shown) > 200
    assert set(shown) <= cells
    for section in sections:
        for figure in section["figures"]:
            assert (out / "page" / figure["file"]).stat().st_size > 1000


def test_first_screen_says_what_matters(page: str) -> None:
    first = page[: page.index('<nav aria-label="sections">')]
    for text in ("Synthetic recordings", "mPAP above 20 mmHg", "older = 1", "Leakage: The folds",
                 "They share nothing", "larger class alone", "Base rate (detection): ",
                 "last training epoch", "not a medical device"):  # fmt: skip
        assert text in first


def test_what_needs_a_store_is_named_not_hidden(numbers: dict[str, Any]) -> None:
    sections = numbers["sections"]
    for name in ("flow", "characteristics", "sanity", "subgroups", "labels", "latent",
                 "attribution", "reconstructions", "permutation"):  # fmt: skip
        assert any("not available: " in text for text in sections[name]["texts"]), name
    gaps = {row["item"]: row["gap"] for row in sections["tripod"]["facts"]["items"]}
    assert "characteristics" in gaps["20b"]
    assert "operating points" not in gaps["15"]


def test_cards_lie_beside_the_page(out: Path) -> None:
    card = (out / "page/model_card.md").read_text()
    assert "# Model card: LS-EMVAE, 12L, detection" in card
    assert "SYNTHETIC" in card
    assert "Meant for: research on screening for pulmonary hypertension" in card
    assert "- seed: 0" in card
    assert "pulmonary hypertension" not in (out / "page/model_card_older.md").read_text()
    assert "older" in (out / "page/model_card_older.md").read_text()


def test_what_a_killed_report_left_is_replaced_and_a_card_of_others_is_not(
    out: Path, tmp_path: Path
) -> None:
    card = tmp_path / "model_card.md"
    card.write_bytes((out / "page/model_card.md").read_bytes())
    check_report_folder(tmp_path)
    card.write_text("# Model card: mine")
    with pytest.raises(InputError, match="this command did not write it"):
        check_report_folder(tmp_path)


def test_leak_is_loud_and_comes_first(tmp_path: Path) -> None:
    leak = {"kind": "patient", "between": ["pre-training", "fold 1"], "n": 3}
    write_run(tmp_path / "cv", labelled_patients(), leaks=[leak])
    page, _ = report_of(tmp_path / "cv", tmp_path / "page")
    warning = page.index('class="warning" role="note">LEAKAGE, allowed')
    assert warning < page.index("Question (detection)")
    assert "pre-training and fold 1: 3 patients" in page


def test_epoch_that_was_chosen_is_loud_and_comes_first(tmp_path: Path) -> None:
    write_run(tmp_path / "cv", labelled_patients(), scored_epoch="best")
    page, _ = report_of(tmp_path / "cv", tmp_path / "page")
    warning = page.index("scored at epoch &#39;best&#39;, not at the last one")
    assert 'class="warning" role="note">detection/ls_emvae/12L: ' in page[:warning]
    assert warning < page.index("Question (detection)")
    assert "no epoch was chosen" not in page
    assert "older version" not in page
    assert "scored epoch: best" in (tmp_path / "page/model_card.md").read_text()


def test_best_method_of_a_table_is_marked(out: Path, page: str, numbers: dict[str, Any]) -> None:
    table = numbers["sections"]["results"]["tables"][0]
    best = max(METHODS, key=lambda method: by_fold(
        predictions(out, f"detection/{method}/12L")).mean())  # fmt: skip
    cell = table["rows"][list(METHODS).index(best)][table["header"].index("AUROC 12L")]
    assert f"<strong>{unbroken(cell)}</strong>" in page
    assert "Bold: best mean of a column" in table["caption"]


def test_names_from_files_are_text_and_never_markup(tmp_path: Path) -> None:
    write_run(tmp_path / "cv", labelled_patients(), data='<img src=x onerror="alert(1)">')
    page, _ = report_of(tmp_path / "cv", tmp_path / "page")
    assert "<img src=x" not in page
    assert "Data: &lt;img src=x onerror=&#34;alert(1)&#34;&gt;" in page


def test_older_run_gives_a_report_with_its_gaps_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "cv", labelled_patients())
    for name in ("inner_predictions.csv", "projection.csv"):
        (folder / name).unlink()
    table = pd.read_csv(folder / "predictions.csv").drop(columns="uncertainty")
    table.to_csv(folder / "predictions.csv", index=False)
    metrics = json.loads((folder / "metrics.json").read_text())
    for name in ("leaks", "pretraining_compared", "scored_epoch", "provenance", "inner"):
        del metrics[name]
    write_json(folder / "metrics.json", metrics)
    page, numbers = report_of(tmp_path / "cv", tmp_path / "page")
    sections = numbers["sections"]
    assert "before leakage was checked" in page
    assert "does not say which epoch was scored" in page
    assert sections["abstention"]["facts"]["detection/ls_emvae/12L"]["uncertainty"] == ENTROPY
    for name in ("calibration", "decisions", "operating", "latent", "provenance"):
        assert any("not available: " in text for text in sections[name]["texts"]), name
    assert "no inner_predictions.csv" in " ".join(sections["operating"]["texts"])


@pytest.mark.parametrize(("provenance", "told"), [({}, True), ({"code": "abc"}, False)])
def test_a_pretraining_without_provenance_is_told(
    provenance: dict[str, Any], told: bool, tmp_path: Path
) -> None:
    write_run(tmp_path / "cv", labelled_patients())
    runs = [RunEvidence(run, {}) for run in find_runs([str(tmp_path)])[0]]
    pretrain = PretrainEvidence(
        tmp_path, pd.DataFrame(), "x", synthetic=False, sampling_rate_hz=250, calibrated=True,
        provenance=provenance,
    )  # fmt: skip
    blocks = provenance_section(Evidence("", runs, pretrain=pretrain)).blocks
    line = f"{tmp_path} has no provenance.json, so its log cannot be checked"
    assert any(isinstance(one, Text) and line in one.text for one in blocks) is told


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({}, "no"),
        ({"encoder_saw_these_recordings": True}, "yes"),
        ({"encoder_sha256": "ab", "pretraining_compared": False}, "not known"),
        ({"encoder_sha256": "ab", "pretraining_compared": True}, "no"),
        ({"leaks": [{"kind": "signal", "between": ["pre-training", "fold 0"], "n": 3}]},
         "some of them, or their patients"),
        ({"leaks": [{"kind": "signal", "between": ["fold 1", "fold 0"], "n": 3}]}, "no"),
    ],
)  # fmt: skip
def test_the_page_says_whether_the_encoder_saw_the_recordings(
    found: dict[str, Any], told: str, tmp_path: Path
) -> None:
    write_run(tmp_path / "cv", labelled_patients())
    runs = [RunEvidence(run, {}) for run in find_runs([str(tmp_path)])[0]]
    runs[0].run.metrics.update(found)
    table = provenance_section(Evidence("", runs)).blocks[0]
    assert isinstance(table, Table)
    assert table.rows[0][-1] == told


def test_posterior_is_the_uncertainty_where_the_run_has_it(numbers: dict[str, Any]) -> None:
    found = numbers["sections"]["abstention"]["facts"]["older/ls_emvae/12L"]
    assert found["uncertainty"] == POSTERIOR
    assert found["curve"][0]["withheld"] == 0


def test_training_on_shuffled_labels_is_judged_apart(tmp_path: Path) -> None:
    write_run(tmp_path / "cv", labelled_patients())
    write_run(tmp_path / "permuted", labelled_patients(seed=3), permute_labels=7)
    (tmp_path / "permuted/detection").rename(tmp_path / "cv/detection-permuted-7")
    page, numbers = report_of(tmp_path / "cv", tmp_path / "page")
    assert list(numbers["records"]) == ["detection/ls_emvae/12L"]
    # These predictions follow their labels, so a run on shuffled labels has seen them.
    (said,) = numbers["sections"]["permutation"]["facts"]["of_training"]
    assert "the run has seen its test records" in said
    assert f'class="warning" role="note">{said}' in page


def test_a_legend_lies_below_the_axes_and_takes_none_of_their_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", LAY_OUT)
    heights = []
    for n_curves in (1, 8):
        figure, axes = panel("x", "y", "title", square=False)
        for number in range(n_curves):
            axes.plot([0, 1], [0, number], label=f"method {number}")
        legend(axes)
        figure.draw_without_rendering()
        heights.append(axes.get_window_extent().height)
        (box,) = [one.get_window_extent() for one in figure.legends]
        assert box.y1 < axes.get_window_extent().y0
    assert heights[1] > 0.95 * heights[0]


def test_a_card_that_somebody_wrote_into_is_not_replaced_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.json").write_text(f'{{"format": "{FORMAT}"}}')
    card = tmp_path / "model_card.md"
    card.write_text("approved by the board\n")
    check_report_folder(tmp_path)
    write_text(card, "new\n")
    assert f"{card} replaced another result" in capsys.readouterr().err
