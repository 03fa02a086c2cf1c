"""Lock one model file of a finished cross-validation: `lsemvae lock`."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lsemvae.core.printable import say
from lsemvae.model_file.targets import LabelOutput

if TYPE_CHECKING:
    from lsemvae.model_file.description import Description


def lock(
    run: str,
    *,
    cohort: str,
    out: str,
    encoder: str | None = None,
    kind: Literal["ensemble", "refit"] = "ensemble",
    point: Literal["youden", "sensitivity_90", "specificity_90"] = "youden",
    withhold: float = 0.05,
    hashes: bool = True,
) -> None:
    """Write the model of a finished cross-validation to one file that holds all.

    Recalibration, operating points and the limit of uncertainty come from inner predictions only.

    Args:
        run: folder of one method, task and lead set, such as runs/cv/detection/ls_emvae/12L.
        cohort: the store that it ran on.
        out: the model file, such as models/detection.safetensors.
        encoder: that the run froze, if any: a checkpoint, or a name of `lsemvae encoders`.
        kind: `ensemble` averages the models of the folds; `refit` trains one more on all patients.
        point: operating point at which decisions are made; the file keeps all three.
        withhold: share of the inner recordings whose uncertainty is too large for a result; of
            methods with a frozen encoder that says how unsure it is.
        hashes: keep hashes of the patients and recordings trained on, so that they are refused.
            Whoever can guess an id can tell whether it is among them: false for publication.
    """
    from lsemvae.core.errors import InputError

    target = Path(out)
    if target.suffix != ".safetensors":
        raise InputError(f"--out must end in .safetensors, got {out}")
    from lsemvae.model_file.seal import check_model_place

    check_model_place(target)
    from lsemvae.deployment.lock import LockOptions, lock_run
    from lsemvae.deployment.model_file import write_model
    from lsemvae.report_evidence.cohort import verify_against_store

    options = LockOptions(kind, point, withhold, hashes)
    locked = lock_run(Path(run), cohort, encoder, options, verify_against_store)
    digest = write_model(target, locked.network, locked.trained_on)
    model = locked.network.description
    say(f"{target}: {target.stat().st_size / 1e6:.1f} MB, SHA-256 {digest}")
    for line in _told(model):
        say(f"  {line}")
    if model.synthetic:
        say("  SYNTHETIC data: this model is good for trying things out only")


def _told(model: "Description") -> list[str]:
    """Say what was chosen on inner predictions, a line for each point or interval."""
    if model.number is not None:
        half, unit = model.number.half_width, model.number.unit
        width = "none: too few inner patients" if half is None else f"estimate ± {half:.2f} {unit}"
        return [f"{model.number.nominal:.0%} interval: {width}"]
    return [
        f"{one.name + ', ' if isinstance(one, LabelOutput) else ''}{name}: threshold "
        f"{point.threshold:.3f}, inner sensitivity {point.sensitivity:.3f}, specificity "
        f"{point.specificity:.3f}{' (in use)' if name == model.point else ''}"
        for one in (model.labels or (model,))
        for name, point in one.points.items()
    ]
