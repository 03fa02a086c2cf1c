"""Say how sure the model is of a probability, as far as it can."""

from typing import NamedTuple

from scipy.special import expit, logit

from lsemvae.model_file.description import Description
from lsemvae.predicting.decimals import told_apart
from lsemvae.predicting.outcome import Row


class Spread(NamedTuple):
    """Uncertainty in words.

    Attributes:
        text: a sentence.
        low: lower end of an interval of the probability, None where the model gives none.
        high: its upper end.
    """

    text: str
    low: float | None = None
    high: float | None = None


def doubt(row: Row, model: Description) -> str:
    """Return in a sentence how far a withheld row is beyond the limit; empty where it is not."""
    if row.uncertainty is None or model.uncertainty_limit is None:
        return ""
    found, limit = told_apart(row.uncertainty, model.uncertainty_limit)
    return f"Its uncertainty is {found}; the limit is {limit}."


def brief(row: Row, model: Description) -> str:
    """Return the uncertainty of a row as a cell of the worklist."""
    if row.uncertainty is None:
        return ""
    found = spread(row, model)
    return f"{row.uncertainty:.2f}" if found.low is None else f"{found.low:.2f}-{found.high:.2f}"


def spread(row: Row, model: Description) -> Spread:
    """Return what is known of the uncertainty of a row with a probability.

    The members' logits have a standard deviation s; recalibrated, it is |slope| * s.

    Args:
        row: a result.
        model: that gave it.
    """
    if row.uncertainty is None or row.probability is None:
        return Spread("This model does not measure its uncertainty.")
    if model.uncertainty == "members":
        middle, reach = logit(row.probability), abs(model.recalibration.slope) * row.uncertainty
        low, high = float(expit(middle - reach)), float(expit(middle + reach))
        text = (
            f"{low:.2f} to {high:.2f} is one standard deviation of the {model.n_members} members "
            "of the model. It is no confidence interval."
        )
        return Spread(text, low, high)
    limit = model.uncertainty_limit
    if limit is None:
        return Spread(
            f"The encoder's uncertainty is {row.uncertainty:.2f} (mean log variance). This model "
            "has no limit above which it withholds a result."
        )
    found, above = told_apart(row.uncertainty, limit)
    return Spread(
        f"The encoder's uncertainty is {found} (mean log variance); results above {above} are "
        "withheld."
    )
