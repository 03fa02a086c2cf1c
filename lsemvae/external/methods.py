"""Say how a model was validated, and where everything comes from."""

from lsemvae.core.counted import counted
from lsemvae.core.provenance import provenance
from lsemvae.evaluation.report.blocks import Section, Table, Text
from lsemvae.evaluation.report.provenance import described
from lsemvae.external.evidence import ExternalEvidence

METHODS = (
    "Every recording of the store goes through the checks of `lsemvae predict`: recordings and "
    "patients of the training are withheld, so are recordings with fewer leads than any of the "
    "training, doubtful limb leads, and an uncertainty above the model's limit. Measures are of "
    "recordings with a result and a label. AUROC: DeLong's variance by patient, logit scale; "
    "AUPRC (on log-odds), Brier score, net benefit: bootstrap by patient; observed / expected: "
    "ratio by patient, log scale; intercept (log-odds as offset) and slope: logistic regression, "
    "standard errors robust by patient, of the slope where patients have several recordings."
)


def methods_section(evidence: ExternalEvidence) -> Section:
    """Return how it was done, with the digests of model and store."""
    model = evidence.model
    rows = [
        ["model", f"{model.method}, {model.kind}, {counted(model.n_members, 'member')}"],
        ["SHA-256 of the model", evidence.digest],
        ["trained on", model.label],
        ["task", model.task.positive],
        ["label here", evidence.label],
        ["leads", ", ".join(model.leads)],
        ["unit", model.unit],
        ["recalibration of the model", f"intercept {model.recalibration.intercept:.3f}, slope "
                                       f"{model.recalibration.slope:.3f}"],
        ["cohort", evidence.cohort],
        ["SHA-256 of the cohort", evidence.cohort_sha256],
        ["resamples; draws", f"{evidence.n_resamples}; {evidence.n_draws}"],
        *([name, value] for name, value in described(provenance()).items()),
    ]  # fmt: skip
    table = Table(f"What was validated on {evidence.name}.", ("what", "value"), rows, wrap=True)
    facts = {"model_sha256": evidence.digest, "cohort_sha256": evidence.cohort_sha256}
    return Section("methods", "Methods and provenance", [Text(METHODS), table], facts)
