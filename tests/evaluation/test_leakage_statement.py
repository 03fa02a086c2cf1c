from lsemvae.evaluation.leakage_statement import leakage_statement

LEAK = {"kind": "patient", "between": ["pre-training", "fold 1"], "n": 3}


def test_clean_run_says_what_was_compared() -> None:
    clean, text = leakage_statement({"leaks": [], "pretraining_compared": True})
    assert clean
    assert "with the pre-training recordings" in text
    assert "share nothing" in text
    assert leakage_statement({"leaks": [], "pretraining_compared": None}).clean


def test_leak_is_named_with_its_size() -> None:
    clean, text = leakage_statement({"leaks": [LEAK], "pretraining_compared": True})
    assert not clean
    assert text.startswith("LEAKAGE")
    assert "pre-training and fold 1: 3 patients" in text


def test_what_was_not_compared_is_not_called_clean() -> None:
    clean, text = leakage_statement({"leaks": [], "pretraining_compared": False})
    assert not clean
    assert "not known" in text
    assert not leakage_statement({"encoder_saw_these_recordings": False}).clean


def test_altered_copies_are_not_called_clean() -> None:
    about = {"leaks": [], "pretraining_compared": True, "near_other_patients": 2}
    clean, text = leakage_statement(about)
    assert not clean
    assert "2 recordings are nearly the same as one of another patient, as altered" in text
    both = leakage_statement(about | {"near_pretraining": 1}).text
    assert "of another patient, 1 recording is nearly the same as one of the pre-training" in both
    assert "2 recordings are nearly" in leakage_statement(about | {"leaks": [LEAK]}).text


def test_patients_that_could_not_be_compared_are_not_said_to_share_nothing() -> None:
    about = {"leaks": [], "pretraining_compared": True, "patients_compared": False}
    clean, text = leakage_statement(about)
    assert not clean
    assert "share nothing" not in text
    assert "whether it shares patients with the cohort is not known" in text
