import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_modules.cohort.splits import Splits, cohort_digest, inner_validation, load_or_make_splits
from lsemvae.core.errors import InputError


def cohort(n_patients: int = 60, *, positive: float = 0.3, seed: int = 0) -> pd.DataFrame:
    """Return patients with one to three records of one label each."""
    generator = np.random.default_rng(seed)
    n_records = generator.integers(1, 4, n_patients)
    patient = np.repeat(np.arange(n_patients), n_records)
    label = (np.arange(n_patients) < positive * n_patients).astype(float)[patient]
    records = [f"r{number:03d}" for number in range(len(patient))]
    return pd.DataFrame(
        {"record": records, "patient_id": [f"p{p}" for p in patient], "label": label}
    )


def splits(path: Path, table: pd.DataFrame, **arguments: Any) -> Splits:
    return load_or_make_splits(str(path), table, **{"task": "detection", **arguments})


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), n_folds=st.integers(2, 6))
def test_patients_are_in_one_fold_and_classes_in_all(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n_folds: int
) -> None:
    table = cohort(seed=seed)
    path = tmp_path_factory.mktemp("splits") / "splits.json"
    made = splits(path, table, n_folds=n_folds, seed=seed)
    fold = table["record"].map(made.fold)
    assert set(fold) == set(range(n_folds))
    assert (fold.groupby(table["patient_id"]).nunique() == 1).all()
    share = table.groupby(fold)["label"].mean()
    assert (share - table["label"].mean()).abs().max() < 0.15
    sizes = fold.value_counts()
    assert sizes.max() - sizes.min() <= 0.35 * sizes.mean() + 3


def test_folds_are_frozen_and_only_read_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "splits.json"
    first = splits(path, cohort())
    written = path.read_bytes()
    shuffled = cohort().sample(frac=1, random_state=3)
    assert splits(path, shuffled) == first
    assert path.read_bytes() == written
    assert [file.name for file in path.parent.iterdir()] == ["splits.json"]


def test_folds_do_not_depend_on_the_order_of_the_store(tmp_path: Path) -> None:
    shuffled = cohort().sample(frac=1, random_state=3)
    assert splits(tmp_path / "one.json", shuffled) == splits(tmp_path / "other.json", cohort())


def test_folds_of_a_column_are_those_of_the_column_that_is_asked_for(tmp_path: Path) -> None:
    table, path = cohort(positive=0.5), tmp_path / "splits.json"
    number = table["patient_id"].str[1:].astype(int)
    first = table.assign(given_fold=number % 2)
    made = splits(path, first, n_folds=2)
    assert made.fold == dict(zip(table["record"], number % 2, strict=True))
    assert splits(path, first.sample(frac=1, random_state=1), n_folds=2) == made
    second = table.assign(given_fold=number // 2 % 2)
    with pytest.raises(InputError, match="holds the folds of another column"):
        splits(path, second, n_folds=2)
    blank = table.assign(given_fold=np.where(number == 3, " ", (number % 2).astype(str)))
    with pytest.raises(InputError, match=r"record has no fold in the table, as "):
        splits(tmp_path / "blank.json", blank, n_folds=3)


def test_what_is_in_the_file_counts_and_not_what_would_be_drawn(tmp_path: Path) -> None:
    path = tmp_path / "splits.json"
    splits(path, cohort())
    content = json.loads(path.read_text())
    content["fold"] = {record: (fold + 1) % 5 for record, fold in content["fold"].items()}
    path.write_text(json.dumps(content))
    assert splits(path, cohort()).fold == content["fold"]


def test_the_seed_decides_the_folds(tmp_path: Path) -> None:
    one, again, other = (
        splits(tmp_path / f"{name}.json", cohort(), seed=seed).fold
        for name, seed in (("one", 1), ("again", 1), ("other", 2))
    )
    assert one == again != other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "seed 0 against 1"),
        ({"n_folds": 4}, "n_folds 5 against 4"),
        ({"task": "phenotype"}, "task detection against phenotype"),
    ],
)
def test_folds_of_something_else_are_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "splits.json"
    splits(path, cohort())
    with pytest.raises(InputError, match=f"frozen for something else .{message}"):
        splits(path, cohort(), **change)


def test_another_cohort_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "splits.json"
    splits(path, cohort())
    relabelled = cohort()
    relabelled.loc[0, "label"] = 1 - relabelled.loc[0, "label"]
    for other in (cohort()[1:], relabelled, cohort().assign(patient_id="one")):
        with pytest.raises(InputError, match=r"frozen for something else .cohort_sha256"):
            splits(path, other)


def test_the_digest_does_not_depend_on_the_order() -> None:
    assert cohort_digest(cohort()) == cohort_digest(cohort()[::-1])
    assert cohort_digest(cohort()) != cohort_digest(cohort(seed=1))


def test_too_few_patients_are_refused(tmp_path: Path) -> None:
    for n_folds in (1, 61):
        with pytest.raises(InputError, match=r"needs? at least 2 folds.*has 60 patients"):
            splits(tmp_path / "splits.json", cohort(), n_folds=n_folds)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("positive", "message"),
    [
        (0.05, "smaller class of task 'detection' has 3: use fewer folds"),
        (1 / 60, "smaller class of task 'detection' has 1: two folds are the fewest, so add"),
        (0.0, "all labelled records of task 'detection' are of one class"),
        (1.0, "all labelled records of task 'detection' are of one class"),
    ],
)
def test_a_class_with_too_few_patients_is_refused(
    tmp_path: Path, positive: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        splits(tmp_path / "splits.json", cohort(positive=positive))


@pytest.mark.parametrize(
    "content",
    ["", "{", "[1, 2]", '{"format": "other"}', '{"format": "lsemvae-splits", "version": 1}'],
)
def test_a_file_that_is_no_splits_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "splits.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"splits\.json is not"):
        splits(path, cohort())
    assert path.read_text() == content


def test_binary_rubbish_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "splits.json"
    path.write_bytes(b"\xff\xfe\x00rubbish")
    with pytest.raises(InputError, match=r"splits\.json is not JSON"):
        splits(path, cohort())


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "splits.json"
    splits(path, cohort())
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 2}))
    with pytest.raises(InputError, match="not a lsemvae-splits file of version 1"):
        splits(path, cohort())


@pytest.mark.parametrize("damage", ["torn", "missing", "outside"])
def test_folds_that_leak_a_patient_are_refused(tmp_path: Path, damage: str) -> None:
    path, table = tmp_path / "splits.json", cohort()
    splits(path, table)
    content = json.loads(path.read_text())
    of_one_patient = table.groupby("patient_id")["record"].apply(list)
    record = max(of_one_patient, key=len)[0]
    if damage == "missing":
        del content["fold"][record]
    else:
        content["fold"][record] = 7 if damage == "outside" else (content["fold"][record] + 1) % 5
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="was changed by hand"):
        splits(path, table)


def test_writers_at_the_same_time_agree_on_one_file(tmp_path: Path) -> None:
    path = tmp_path / "splits.json"
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: splits(path, cohort()), range(8)))
    assert all(result == results[0] for result in results)
    assert [file.name for file in tmp_path.iterdir()] == ["splits.json"]


def test_a_writer_overtaken_by_another_reads_what_that_one_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, link = tmp_path / "splits.json", os.link

    def overtaken(*arguments: Any) -> None:
        monkeypatch.setattr(os, "link", link)
        splits(path, cohort())
        link(*arguments)

    monkeypatch.setattr(os, "link", overtaken)
    assert splits(path, cohort()) == splits(path, cohort())
    assert [file.name for file in tmp_path.iterdir()] == ["splits.json"]


def test_a_writer_that_comes_second_with_another_seed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "splits.json"
    first = splits(path, cohort(), seed=1)
    # The second looks before the first has written.
    monkeypatch.setattr(Path, "exists", lambda self: False)
    with pytest.raises(InputError, match="seed 1 against 2"):
        splits(path, cohort(), seed=2)
    monkeypatch.undo()
    assert splits(path, cohort(), seed=1) == first


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_inner_part_is_a_fifth_by_patient_with_both_classes(seed: int) -> None:
    table = cohort(80, seed=seed)
    inner = inner_validation(table, seed)
    patients = [set(table["patient_id"][side]) for side in (inner, ~inner)]
    assert not patients[0] & patients[1]
    assert 0.1 < inner.mean() < 0.3
    assert set(table["label"][inner]) == set(table["label"][~inner]) == {0.0, 1.0}
    assert (inner_validation(table, seed) == inner).all()


def test_an_inner_part_without_a_class_is_refused() -> None:
    table = cohort(20).assign(label=0.0)
    with pytest.raises(InputError, match="too few patients of one class for an inner"):
        inner_validation(table, 0)
