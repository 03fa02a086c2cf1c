"""Write a model card in Markdown from the facts of a run; what is unknown is `not stated`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from lsemvae.core.errors import InputError
from lsemvae.core.files import write_text
from lsemvae.core.printable import HTML, one_line
from lsemvae.evaluation.tables.table_files import MARKDOWN


@dataclass(frozen=True)
class ModelCard:
    """What a card says; everything may be left out.

    Attributes:
        name: of the model.
        synthetic: whether any recording of training or evaluation is synthetic.
        method: name of the method.
        input: rate, length, band and normalisation.
        leads: lead names.
        leads_cut: whether the signals of fewer leads were cut from 12-lead recordings.
        output: what the number means, and the threshold.
        pretrained_on: name of the pre-training data.
        version: of the code.
        checkpoint: SHA-256 of the weights.
        licence: of the weights.
        contact: who answers for it.
        intended_use: what it is meant for.
        out_of_scope: what it is not meant for, besides patient care.
        data: label of the cohort.
        outcome: task and thresholds.
        n_patients: in the evaluation.
        n_positive: of these.
        evaluation: folds, epochs, choice of the epoch.
        leakage: the first page's sentence.
        leakage_clean: whether it says that all is well.
        base_rate: the accuracy of the larger class, as a sentence.
        performance: rows of measure, value, interval.
        spread: what stands as the interval of the performance.
        subgroups: rows of group, n, value, interval.
        calibration: intercept, slope and Brier score, as a sentence.
        limits: one sentence each.
        provenance: name and value.
    """

    name: str = ""
    synthetic: bool = False
    method: str = ""
    input: str = ""
    leads: str = ""
    leads_cut: bool = False
    output: str = ""
    pretrained_on: str = ""
    version: str = ""
    checkpoint: str = ""
    licence: str = ""
    contact: str = ""
    intended_use: str = ""
    out_of_scope: str = ""
    data: str = ""
    outcome: str = ""
    n_patients: int | None = None
    n_positive: int | None = None
    evaluation: str = ""
    leakage: str = ""
    leakage_clean: bool = False
    base_rate: str = ""
    performance: list[Mapping[str, str]] = field(default_factory=list)
    spread: str = "95 % interval"
    subgroups: list[Mapping[str, str]] = field(default_factory=list)
    calibration: str = ""
    limits: list[str] = field(default_factory=list)
    provenance: Mapping[str, str] = field(default_factory=dict)


def model_card(facts: Mapping[str, Any]) -> str:
    """Return the card in Markdown.

    Args:
        facts: attributes of `ModelCard` by name.

    Raises:
        InputError: a name that the card does not have.
    """
    known = [part.name for part in fields(ModelCard)]
    unknown = sorted(set(facts) - set(known))
    if unknown:
        raise InputError(f"a model card has no {', '.join(unknown)}; it has {', '.join(known)}")
    environment = Environment(
        loader=PackageLoader("lsemvae.evaluation", "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # Markdown; `plain` takes the HTML away
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = lambda value: one_line(str(value)).translate(MARKDOWN)
    environment.filters["plain"] = lambda value: one_line(str(value)).translate(HTML)
    return environment.get_template("model_card.md.j2").render(card=ModelCard(**facts))


def write_model_card(facts: Mapping[str, Any], path: Path) -> None:
    """Write the card to a file."""
    write_text(path, model_card(facts))
