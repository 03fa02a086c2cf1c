import numpy as np
import pandas as pd

from lsemvae.evaluation.worth import COLUMNS, LINEAR, MLP, title_of, worth_sentence, worth_table


def cohort_and_scores(gain: float) -> tuple[pd.DataFrame, dict[tuple[str, float], np.ndarray]]:
    """Return records and scores whose pre-trained row is better by `gain` standard deviations."""
    random = np.random.default_rng(0)
    label = (random.uniform(size=400) < 0.5).astype(float)
    cohort = pd.DataFrame(
        {"label": label, "patient_id": np.arange(400).astype(str), "fold": np.arange(400) % 4}
    )
    noise = random.normal(size=(1, 1, 400))
    scores = {}
    for share, n_draws in ((1.0, 1), (0.1, 3)):
        drawn = np.tile(noise, (1, n_draws, 1)) + 0.3 * random.normal(size=(1, n_draws, 400))
        scores["pretrained", share] = drawn + (1 + gain) * label
        scores["untrained", share] = np.tile(drawn, (2, 1, 1)) + label
        scores["pca", share] = drawn + 0.5 * label
    return cohort, scores


def test_table_has_a_line_for_every_row_and_share_and_one_for_the_larger_class() -> None:
    cohort, scores = cohort_and_scores(0.5)
    table = worth_table(
        cohort, {LINEAR: scores, MLP: {k: v for k, v in scores.items() if k[1] == 1}}
    )
    assert list(table) == list(COLUMNS)
    assert len(table) == 4 * 2 + 4
    larger = table[table["row"] == "larger_class"]
    assert (larger["auroc"] == 0.5).all()
    mine = table[(table["head"] == LINEAR) & (table["fraction"] == 0.1)].set_index("row")
    assert mine.loc["pretrained", "n_draws"] == 3
    assert np.isnan(mine.loc["pretrained", "difference"])
    gap = mine.loc["pretrained", "auroc"] - mine.loc["untrained", "auroc"]
    assert np.isclose(mine.loc["untrained", "difference"], gap)
    assert mine.loc["untrained", "difference_low"] > 0


def test_the_sentence_says_what_pretraining_was_worth_or_that_it_was_worth_nothing() -> None:
    for gain, expected in ((0.5, "was worth +"), (0.0, "nothing that can be told from zero"),
                           (-0.5, "did harm, -")):  # fmt: skip
        cohort, scores = cohort_and_scores(gain)
        said = worth_sentence(worth_table(cohort, {LINEAR: scores}), "12L", "made up (SYNTHETIC)")
        clause = said.partition("against its untrained twin")[0]
        assert expected in clause, said
        assert said.count(".") > 0
        assert "made up (SYNTHETIC)" in said
        assert "10 % of the training patients' labels" in said
        assert "one pre-training" in said


def test_what_a_guess_was_worth_is_said_to_be_a_guess() -> None:
    cohort, scores = cohort_and_scores(-1.0)
    said = worth_sentence(worth_table(cohort, {LINEAR: scores}), "12L", "made up")
    assert said.count("but the model cannot be told from chance (AUROC 0.5") == 2
    cohort, scores = cohort_and_scores(0.0)
    table = worth_table(cohort, {LINEAR: scores})
    assert "chance" not in worth_sentence(table, "12L", "made up")


def test_rows_have_titles_that_people_read() -> None:
    assert title_of("untrained/lead_means") == "untrained twin, lead means"
    assert title_of("pca") == "PCA of the samples"
