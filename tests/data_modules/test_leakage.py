from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.dataset import EcgPool
from data_modules.leakage import (
    Leak,
    LeakageCheck,
    check_leakage,
    find_leaks,
    refuse_leaks,
    tell_other_names,
)
from data_modules.parts import PRETRAINING, fold_parts, part_of
from data_modules.trained_on import FILE_NAME, read_trained_on, write_trained_on
from lsemvae.core.errors import InputError


def table(prefix: str, n: int, *, start: int = 0) -> pd.DataFrame:
    numbers = range(start, start + n)
    return pd.DataFrame({
        "record": [f"{prefix}{i}" for i in numbers],
        "patient_id": [f"{prefix}P{i}" for i in numbers],
        "signal_sha256": [f"{hash_of(prefix, i):016x}" for i in numbers],
    })  # fmt: skip


def hash_of(prefix: str, number: int) -> int:
    """Return a digest whose first half is above the range of signed integers."""
    return (0xF000_0000_0000_0000 | ord(prefix) << 32) + number


def test_parts_of_different_cohorts_share_nothing() -> None:
    assert find_leaks([part_of("a", [table("a", 50)]), part_of("b", [table("b", 50)])]) == []


def test_shared_patient_is_found_without_a_shared_signal() -> None:
    other = table("b", 50)
    other.loc[[4, 7], "patient_id"] = ["aP1", "aP2"]
    found = find_leaks([part_of("a", [table("a", 50)]), part_of("b", [other])])
    assert [(leak.kind, leak.between, leak.n) for leak in found] == [("patient", ("a", "b"), 2)]
    assert set(found[0].examples) == {"aP1", "aP2"}


def test_shared_signal_is_found_under_another_patient_and_record() -> None:
    other = table("b", 50)
    other.loc[9, "signal_sha256"] = table("a", 50)["signal_sha256"][3]
    found = find_leaks([part_of("a", [table("a", 50)]), part_of("b", [other])])
    assert found == [Leak("signal", ("a", "b"), 1, ("b9",))]


def test_patient_of_the_pre_training_is_found_in_another_spelling() -> None:
    seen, fold = table("a", 5), table("b", 5)
    seen["patient_id"] = ["10000032", "2", "3", "P004", "5"]
    fold["patient_id"] = ["10000032.0", "02", "33", "p4", "50"]
    (found,) = find_leaks([part_of(PRETRAINING, [seen]), part_of("fold 0", [fold])])
    assert (found.kind, found.n, set(found.examples)) == ("patient", 3, {"10000032.0", "02", "p4"})


def test_every_pair_of_parts_is_compared() -> None:
    whole = table("a", 60)
    fold = pd.Series(np.arange(60) % 3, dtype=float)
    assert find_leaks(fold_parts(whole, fold)) == []
    whole.loc[1, "patient_id"] = whole["patient_id"][0]
    whole.loc[5, "signal_sha256"] = whole["signal_sha256"][0]
    found = find_leaks(fold_parts(whole, fold))
    assert [(leak.kind, leak.between) for leak in found] == [
        ("patient", ("fold 0", "fold 1")), ("signal", ("fold 0", "fold 2")),
    ]  # fmt: skip


def test_rows_without_a_fold_are_in_no_part() -> None:
    whole = table("a", 4)
    whole["patient_id"] = "one"
    fold = pd.Series([0.0, np.nan, 0.0, np.nan])
    assert [len(part.signal.hashes) for part in fold_parts(whole, fold)] == [2]


def test_several_recordings_of_a_patient_in_one_part_are_no_leak() -> None:
    whole = table("a", 6).assign(patient_id="one")
    assert find_leaks([part_of("a", [whole, whole]), part_of("b", [table("b", 3)])]) == []


def test_leak_is_refused_unless_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    leak = Leak("patient", (PRETRAINING, "fold 2"), 7, ("x",))
    with pytest.raises(InputError, match=r"pre-training and fold 2 share 7 patients, such as"):
        refuse_leaks([leak], allow=False)
    refuse_leaks([leak], allow=True)
    assert "warning: leakage, allowed" in capsys.readouterr().out
    refuse_leaks([], allow=False)


def test_a_leak_that_is_allowed_is_told_once_not_fold_by_fold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kinds = ("patient", "signal")
    leaks = [Leak(kind, (PRETRAINING, f"fold {n}"), 7) for n in range(5) for kind in kinds]
    refuse_leaks(leaks, allow=True)
    assert capsys.readouterr().out == (
        "warning: leakage, allowed: pre-training and fold 0 share 7 patients; pre-training and "
        "fold 0 share 7 signals; and 8 more like these\n"
    )


def test_what_was_trained_on_is_read_back_beside_its_checkpoint(
    pretraining: Path, tmp_path: Path
) -> None:
    pool = EcgPool([str(pretraining)])
    write_trained_on(tmp_path, pool, np.arange(len(pool)))
    expected = part_of(PRETRAINING, [pool.table])
    for place in ("last.ckpt", "checkpoints/last.ckpt"):
        found = read_trained_on(tmp_path / place, pool.sha256)
        assert found is not None
        assert expected.patient_spelt is not None
        np.testing.assert_array_equal(found.patient.hashes, expected.patient_spelt.hashes)
        np.testing.assert_array_equal(found.signal.hashes, expected.signal.hashes)
    assert read_trained_on(tmp_path / "last.ckpt", "another run") is None
    assert read_trained_on(tmp_path / "a/b/last.ckpt", pool.sha256) is None
    ids = pool.table["patient_id"].tolist()
    assert not any(name.encode() in (tmp_path / FILE_NAME).read_bytes() for name in ids)


@pytest.mark.parametrize("length", [0, 100, -1])
def test_damaged_file_is_named(pretraining: Path, tmp_path: Path, length: int) -> None:
    pool = EcgPool([str(pretraining)])
    write_trained_on(tmp_path, pool, np.arange(len(pool)))
    file = tmp_path / FILE_NAME
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(InputError, match=r"trained_on\.npz is damaged"):
        read_trained_on(tmp_path / "last.ckpt", pool.sha256)


def test_store_that_was_trained_on_leaks_without_the_file(cohort: Path, tmp_path: Path) -> None:
    pool = EcgPool([str(cohort)])
    fold_of = {record: i % 2 for i, record in enumerate(pool.table["record"])}
    seen = check_leakage(pool, fold_of, encoder=str(tmp_path / "e.ckpt"), trained_on=pool.sha256)
    assert [(leak.kind, leak.n) for leak in seen.leaks] == [
        ("patient", 30), ("signal", 30), ("patient", 30), ("signal", 30),
    ]  # fmt: skip
    assert seen.about()["pretraining_compared"] is True
    assert pool.table["patient_id"][0] not in str(seen.about())


def test_unknown_pretraining_is_said(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = EcgPool([str(cohort)])
    fold_of = {record: i % 2 for i, record in enumerate(pool.table["record"])}
    unknown = check_leakage(pool, fold_of, encoder=str(tmp_path / "e.ckpt"), trained_on="other")
    assert unknown == ([], False, (0, 0), True)
    assert "cannot be compared" in capsys.readouterr().out
    assert check_leakage(pool, fold_of) == ([], None, (0, 0), True)


def test_a_pre_training_under_pseudonyms_cannot_be_compared_with_ids(
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive, cohort = table("a", 3), table("b", 3)
    archive["patient_id"] = [f"h{number:016x}" for number in range(3)]
    before, own = part_of(PRETRAINING, [archive]), part_of("cohort", [cohort])
    assert not tell_other_names(before, own)
    assert "nobody can tell whether the two share patients" in capsys.readouterr().out
    linked = part_of("cohort", [archive])
    for one, other in ((before, linked), (own, linked), (own, own)):  # MIMIC, a linked cohort
        assert tell_other_names(one, other)
    assert capsys.readouterr().out == ""
    about = LeakageCheck([], True, same_names=False).about()
    assert about == {"leaks": [], "pretraining_compared": True, "patients_compared": False}
