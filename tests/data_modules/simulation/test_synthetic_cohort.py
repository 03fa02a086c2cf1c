"""Synthetic cohorts: consistency of the table, Table 1, difficulty, and the files on disk."""

import hashlib
import re

import numpy as np
import pandas as pd
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from data_modules.simulation.cohort import draw_cohort, group_sizes
from data_modules.simulation.files import MIMIC_LEADS, digitise, write_cohort, write_mimic
from lsemvae.core.errors import InputError
from lsemvae.core.leads import LEADS, LIMB_FROM_I_AND_II, LIMB_LEADS

SMALL = {"n_patients": 9, "sampling_rate_hz": 100.0, "duration_s": 2.0}


def cohort(n=892, *, seed=0, **options):
    return draw_cohort(n, rng=np.random.default_rng(seed), **options)


def tree_hash(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{p.relative_to(folder)} {hashlib.sha256(p.read_bytes()).hexdigest()}" for p in files]
    return "\n".join(lines)


def aurocs(difficulty, *, seed=0):
    """AUROC of the true strain for detection and, among PH, for the phenotype."""
    table, truth = cohort(seed=seed, difficulty=difficulty)
    ph = table["mpap_mmhg"].to_numpy() > 20
    post = table["pawp_mmhg"].to_numpy() > 15
    detection = roc_auc_score(ph, truth.rv_strain + truth.left_strain)
    return detection, roc_auc_score(post[ph], (truth.left_strain - truth.rv_strain)[ph])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(7, 400), difficulty=st.floats(0, 1))
def test_every_row_is_consistent(seed, n, difficulty):
    table, truth = cohort(n, seed=seed, difficulty=difficulty)
    mpap, pawp = table["mpap_mmhg"], table["pawp_mmhg"]
    spap, dpap = table["spap_mmhg"], table["dpap_mmhg"]
    assert (spap > mpap).all()
    assert (mpap > dpap).all()
    assert ((mpap - (dpap + (spap - dpap) / 3)).abs() <= 0.5).all()
    assert (mpap - pawp >= 2).all()
    assert (dpap >= pawp - 3).all()
    assert (pawp >= 3).all()
    ph = mpap > 20
    sizes = [(~ph).sum(), (ph & (pawp <= 15)).sum(), (ph & (pawp > 15)).sum()]
    assert sizes == group_sizes(n).tolist()
    assert (pawp[~ph] <= 15).all()
    assert (pd.to_datetime(table["ecg_date"]) <= pd.to_datetime(table["rhc_date"])).all()
    assert table["patient_id"].is_unique
    assert table["record"].is_unique
    for strain in (truth.rv_strain, truth.left_strain):
        assert strain.min() >= 0
        assert strain.max() <= 1
    np.testing.assert_array_equal(truth.heart_rate_bpm, table["heart_rate_bpm"])
    assert not {"rv_strain", "left_strain", "atrial_fibrillation"} & set(table)


def test_group_sizes_are_those_of_table_1_and_keep_its_proportions():
    assert group_sizes(892).tolist() == [201, 136, 555]
    assert group_sizes(100).tolist() == [23, 15, 62]  # 22.53, 15.25, 62.22
    for n in range(7, 300):
        sizes = group_sizes(n)
        assert sizes.sum() == n
        assert sizes.min() >= 1
        assert np.abs(sizes - n * np.array([201, 136, 555]) / 892).max() < 1


@pytest.mark.parametrize(
    ("column", "means", "sds"),
    [
        ("age_years", (58.43, 61.56, 69.26), (11.64, 14.7, 11.34)),
        ("bsa_m2", (1.89, 1.89, 1.97), (0.21, 0.24, 0.28)),
        ("heart_rate_bpm", (68.86, 79.34, 74.55), (8.42, 14.14, 13.84)),
    ],
)
def test_group_means_and_sds_follow_table_1(column, means, sds):
    table = cohort(seed=3).table
    ph, post = table["mpap_mmhg"] > 20, table["pawp_mmhg"] > 15
    for rows, mean, sd in zip((~ph, ph & ~post, ph & post), means, sds, strict=True):
        values = table.loc[rows, column]
        standard_error = sd / np.sqrt(len(values))
        assert abs(values.mean() - mean) < 3.5 * standard_error
        assert abs(values.std() - sd) < 3.5 * standard_error / np.sqrt(2) + 0.03 * sd


def test_difficulty_runs_from_separable_to_no_signal():
    scores = np.array([aurocs(d) for d in (0.0, 0.5, 0.6, 0.7, 1.0)])
    assert np.all(np.diff(scores, axis=0) < 0)
    np.testing.assert_array_equal(scores[0], 1.0)
    assert np.abs(scores[-1] - 0.5).max() < 0.07


def test_default_difficulty_leaves_the_tasks_hard_for_one_who_knows_the_strain():
    table, truth = cohort()
    features = np.column_stack([truth.rv_strain, truth.left_strain, truth.atrial_fibrillation])
    ph = table["mpap_mmhg"].to_numpy() > 20
    post = table["pawp_mmhg"].to_numpy() > 15
    for rows, label in ((slice(None), ph), (ph, post[ph])):
        model = LogisticRegression(C=10)
        score = cross_val_predict(model, features[rows], label, cv=5, method="predict_proba")
        assert 0.78 < roc_auc_score(label, score[:, 1]) < 0.95


def test_written_cohort_reads_back_with_wfdb(tmp_path):
    table = write_cohort(tmp_path, n_patients=7)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "cohort.csv"), table, check_dtype=False)
    assert {p.stem for p in (tmp_path / "records").iterdir()} == set(table["record"])
    for row in table.itertuples():
        record = wfdb.rdrecord(str(tmp_path / "records" / row.record))
        assert record.sig_name == list(LEADS)
        assert (record.fs, record.sig_len, record.units) == (500, 5000, ["mV"] * 12)
        assert record.adc_gain == [1000.0] * 12
        assert record.base_date.isoformat() == row.ecg_date
        assert "synthetic" in record.comments[0]
        assert 0.3 < np.ptp(record.p_signal[:, 1]) < 8
        limb = record.p_signal[:, :6].T
        assert np.abs(limb - LIMB_FROM_I_AND_II @ limb[:2]).max() <= 1e-3


def test_written_mimic_tree_has_the_layout_of_mimic(tmp_path):
    table = write_mimic(tmp_path, n_patients=6)
    text = (tmp_path / "record_list.csv").read_text()
    assert text.startswith("subject_id,study_id,file_name,ecg_time,path\n")
    assert table["study_id"].is_unique
    assert table.groupby("subject_id").size().between(1, 3).all()
    assert table["subject_id"].nunique() == 6
    assert len(list(tmp_path.rglob("*.hea"))) == len(list(tmp_path.rglob("*.dat"))) == len(table)
    shape = re.compile(r"files/p(\d{4})/p(\1\d{4})/s(\d{8})/\3")
    for row in table.itertuples():
        assert shape.fullmatch(row.path).group(2) == str(row.subject_id)
        record = wfdb.rdrecord(str(tmp_path / row.path))
        assert tuple(record.sig_name) == MIMIC_LEADS
        assert record.adc_gain == [200.0] * 12
        assert f"{record.base_date} {record.base_time}" == row.ecg_time
        assert "synthetic" in " ".join(record.comments)
        leads = dict(zip(record.sig_name, record.p_signal.T, strict=True))
        limb = np.array([leads[name] for name in LIMB_LEADS])
        assert np.abs(limb - LIMB_FROM_I_AND_II @ limb[:2]).max() <= 1 / 200


def test_files_are_byte_for_byte_those_of_wfdb(tmp_path):
    write_cohort(tmp_path, **SMALL)
    path = tmp_path / "records" / "ecg00003"
    record = wfdb.rdrecord(str(path), physical=False)
    (tmp_path / "again").mkdir()
    wfdb.wrsamp(
        "ecg00003",
        fs=100,
        units=record.units,
        sig_name=record.sig_name,
        d_signal=record.d_signal,
        fmt=record.fmt,
        adc_gain=record.adc_gain,
        baseline=record.baseline,
        comments=record.comments,
        base_time=record.base_time,
        base_date=record.base_date,
        write_dir=str(tmp_path / "again"),
    )
    for suffix in (".hea", ".dat"):
        theirs = (tmp_path / "again" / "ecg00003").with_suffix(suffix).read_bytes()
        assert path.with_suffix(suffix).read_bytes() == theirs


@pytest.mark.parametrize("write", [write_cohort, write_mimic])
def test_same_seed_same_bytes_other_seed_others(write, tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write(tmp_path / name, seed=seed, **SMALL)
    assert tree_hash(tmp_path / "a") == tree_hash(tmp_path / "b")
    assert tree_hash(tmp_path / "a") != tree_hash(tmp_path / "c")


def test_digitised_limb_leads_follow_from_the_rounded_leads_i_and_ii():
    ecg = np.random.default_rng(0).normal(0, 1, (2, 12, 400)).astype(np.float32)
    counts = digitise(ecg, 200)
    np.testing.assert_array_equal(counts[:, 2], counts[:, 1] - counts[:, 0])
    assert np.abs(counts[:, 3] + (counts[:, 0] + counts[:, 1]) / 2).max() <= 0.5
    assert np.abs(counts[:, 6:] - 200 * ecg[:, 6:]).max() <= 0.501


def test_progress_is_reported_to_the_end(tmp_path):
    seen = []
    options = {**SMALL, "n_patients": 70}
    write_cohort(tmp_path, progress=lambda done, total: seen.append((done, total)), **options)
    assert seen == [(64, 70), (70, 70)]


def test_an_interrupted_tree_has_no_table_and_can_be_written_again(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_mimic(tmp_path, progress=stop, **SMALL)
    assert not list(tmp_path.glob("record_list*"))
    write_mimic(tmp_path, **SMALL)


@pytest.mark.parametrize("write", [write_cohort, write_mimic])
def test_an_existing_tree_is_not_overwritten(write, tmp_path):
    write(tmp_path, **SMALL)
    before = tree_hash(tmp_path)
    with pytest.raises(InputError, match="exists already"):
        write(tmp_path, seed=1, **SMALL)
    assert tree_hash(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n_patients": 6}, "n_patients >= 7, got 6"), ({"difficulty": 1.5}, "0..1, got 1.5")],
)
def test_impossible_cohorts_are_refused(options, message, tmp_path):
    with pytest.raises(InputError, match=message):
        write_cohort(tmp_path, **options)
    with pytest.raises(InputError, match="got 0"):
        write_mimic(tmp_path, n_patients=0)
