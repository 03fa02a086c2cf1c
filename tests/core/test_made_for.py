import pytest

from lsemvae.core.errors import InputError
from lsemvae.core.made_for import MadeFor, check_made_for
from lsemvae.core.types import EcgInput

INPUT = EcgInput(500.0, 5000, (0.5, 40.0), "record", unit="mV")
HEAD = MadeFor(("I", "II"), "detection", "mPAP > 20 mmHg", INPUT)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (HEAD._replace(leads=("II", "I")), "leads I,II against II,I"),
        (HEAD._replace(task="phenotype"), "task detection against phenotype"),
        (HEAD._replace(label="mPAP > 25 mmHg"), "label mPAP > 20 mmHg against mPAP > 25 mmHg"),
        (HEAD._replace(ecg_input=INPUT._replace(unit="NU")), "unit mV against NU"),
        (HEAD._replace(ecg_input=INPUT._replace(normalisation="lead")), "record against lead"),
        (HEAD._replace(ecg_input=INPUT._replace(band_hz=(0.5, 100.0))), "band_hz"),
    ],
)
def test_a_head_is_refused_on_anything_else(given: MadeFor, named: str) -> None:
    with pytest.raises(InputError, match=named):
        check_made_for("head.ckpt", HEAD, given)


def test_what_is_not_known_is_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    check_made_for("head.ckpt", HEAD, MadeFor())
    check_made_for("head.ckpt", HEAD, HEAD._replace(ecg_input=INPUT._replace(unit=None)))
    assert capsys.readouterr().out == ""
    check_made_for("head.ckpt", None, HEAD)
    assert "head.ckpt does not say what it was made for" in capsys.readouterr().out


@pytest.mark.parametrize("made_for", [HEAD, MadeFor()])
def test_plain_values_give_it_back(made_for: MadeFor) -> None:
    assert MadeFor.from_plain(made_for.plain()) == made_for


def test_what_a_later_version_adds_is_left_out() -> None:
    plain = HEAD.plain()
    plain["device"] = "none"
    plain["ecg_input"]["lead_order"] = "none"
    assert MadeFor.from_plain(plain) == HEAD
