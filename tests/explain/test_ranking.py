import numpy as np
import pandas as pd
import pytest

from lsemvae.explain.ranking import bootstrap_patients, rank_leads, summarise_waves


def names(*numbers: int) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    return np.array([f"p{number}" for number in numbers], dtype=object)


def test_mean_is_over_records_and_leaves_missing_values_out() -> None:
    values = np.array([[0.2, np.nan], [0.4, 0.5], [0.9, np.nan]])
    found = bootstrap_patients(values, names(0, 0, 1))
    assert found.mean == pytest.approx([0.5, 0.5])
    assert found.n_records.tolist() == [3, 1]


def test_interval_is_that_of_a_mean_where_each_patient_has_one_record() -> None:
    values = np.random.default_rng(1).normal(size=(400, 1))
    low, high = bootstrap_patients(values, names(*range(400)), n_draws=4000).interval
    half = 1.96 * values.std() / np.sqrt(400)
    assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_records_of_one_patient_are_drawn_together() -> None:
    # Twenty equal records of each patient carry no more than one.
    once = np.random.default_rng(2).normal(size=(50, 1))
    many = np.repeat(once, 20, axis=0)
    one = bootstrap_patients(once, names(*range(50)))
    other = bootstrap_patients(many, names(*np.repeat(np.arange(50), 20)))
    assert other.interval == pytest.approx(one.interval)


def leads_table(shares: dict[str, list[float]]) -> pd.DataFrame:
    rows = [
        {"record": f"r{number}", "patient_id": f"p{number}", "lead": lead, "share": share}
        for lead, values in shares.items()
        for number, share in enumerate(values)
    ]
    return pd.DataFrame(rows)


def test_leads_are_ranked_by_their_mean_share() -> None:
    table = leads_table({"I": [0.1, 0.2], "II": [0.6, 0.6], "V1": [0.3, 0.2]})
    ranking = rank_leads(table)
    assert ranking["lead"].tolist() == ["II", "V1", "I"]
    assert ranking["share"].tolist() == pytest.approx([0.6, 0.25, 0.15])
    assert ranking["first"].tolist() == [1.0, 0.0, 0.0]
    assert (ranking["low"] <= ranking["share"]).all()
    assert (ranking["share"] <= ranking["high"]).all()


def test_two_leads_that_compete_share_the_first_place() -> None:
    rng = np.random.default_rng(4)
    one = rng.uniform(0.3, 0.7, 100)
    ranking = rank_leads(leads_table({"I": one.tolist(), "II": (1 - one).tolist()}))
    assert ranking["first"].sum() == pytest.approx(1.0)
    assert ranking["first"].min() > 0.02


def test_absent_leads_do_not_count_as_zero() -> None:
    table = leads_table({"I": [0.5, 1.0], "II": [0.5]})
    ranking = rank_leads(table).set_index("lead")
    assert ranking.loc["II", "share"] == pytest.approx(0.5)
    assert ranking.loc["II", "n_records"] == 1


def test_waves_are_summed_over_the_leads_of_a_record() -> None:
    rows = [
        (record, lead, wave, share)
        for record, shares in {"r0": (0.1, 0.4), "r1": (0.2, 0.3)}.items()
        for lead in ("I", "II")
        for wave, share in zip(("P", "QRS"), shares, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["record", "lead", "wave", "share"])
    table["patient_id"] = table["record"]
    table["time_share"] = np.where(table["wave"] == "P", 0.3, 0.7)
    found = summarise_waves(table)
    assert found["wave"].tolist() == ["P", "QRS"]
    assert found["share"].tolist() == pytest.approx([0.3, 0.7])
    assert found["time_share"].tolist() == pytest.approx([0.3, 0.7])
