import numpy as np
import pytest

from benchmarks.external_coverage import KINDS, Shift, Study, coverage, draw, estimates, truth


@pytest.mark.parametrize("kind", ["compression to 0.6", "3 a patient, intercept 0.8, slope 0.6"])
def test_the_truth_is_what_a_large_study_finds(kind: str) -> None:
    large = KINDS[kind]._replace(n_patients=100_000)
    found = estimates(draw(large, np.random.default_rng(0)))
    for name, value in truth(large).items():
        assert found[name].value == pytest.approx(value, abs=0.03)


def test_labels_of_a_patient_hang_together() -> None:
    study = draw(Shift(n_patients=4000, per_patient=2), np.random.default_rng(1))
    residual = (study.label - study.probability).reshape(-1, 2)
    assert np.corrcoef(residual.T)[0, 1] > 0.3


def test_a_study_without_positives_does_not_count_as_held() -> None:
    never = Shift(n_patients=4, mean=-30.0)
    assert isinstance(draw(never, np.random.default_rng(0)), Study)
    assert coverage(never, 2, 0)["slope"]["coverage"] == 0
