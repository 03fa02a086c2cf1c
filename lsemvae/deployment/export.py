"""Write a locked model as an ONNX graph that describes itself."""

import base64
import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from lsemvae.core.errors import InputError
from lsemvae.core.extras import install_extra
from lsemvae.core.files import prepare_place, replace_file, sync_file
from lsemvae.core.unfinished import unfinished
from lsemvae.deployment.locked_network import LockedNetwork
from lsemvae.deployment.model_file import LockedModel
from lsemvae.model_file.seal import OPEN_SEAL, seal
from lsemvae.predicting.onnx_predictor import DESCRIPTION, HASHES, SEAL, OnnxPredictor

TOLERANCE = 1e-4  # of a probability, in float32
N_COMPARED = 16
MAX_BYTES = (1 << 31) - (1 << 24)  # a protobuf message has less than 2 GiB


class Exported(NamedTuple):
    """A graph that was written: the file's digest, and how far its probabilities are off."""

    digest: str
    difference: float


def export_onnx(
    model: LockedModel, out: Path, *, leads: Sequence[str], hashes: bool = True, int8: bool = False
) -> Exported:
    """Write the graph of a model for a fixed set of leads, after comparing it with the network.

    Inputs `ecg` (B, L, T) float32 and `present` (B, L) bool; outputs as in `Outputs`.

    Args:
        model: from its file.
        out: the ONNX file; an older one is replaced by a whole one or not at all.
        leads: those of the graph's input, in canonical order; a subset of the model's.
        hashes: keep the hashes of patients and recordings.
        int8: weights as 8-bit integers.

    Raises:
        InputError: leads that the model does not have, a method whose graph gives other numbers, or
            a package or room on the disk is missing.
    """
    network = for_leads(model.network, leads)
    size = sum(one.numel() * one.element_size() for one in network.state_dict().values())
    if size > MAX_BYTES:
        raise InputError(
            f"the weights take {size / 1e9:.1f} GB, an ONNX file holds 2 GB; lock with --kind "
            "refit, which has one network in place of one for each fold"
        )
    temporary = unfinished(out)
    try:
        prepare_place(out)
        _write_graph(network, temporary)
        if int8:
            from lsemvae.deployment.eight_bit import store_as_eight_bit

            store_as_eight_bit(temporary)
        kept = model.trained_on._asdict() if hashes and network.description.hashes else {}
        texts = {
            DESCRIPTION: replace(network.description, hashes=bool(kept)).to_json(),
            **{
                HASHES + kind: base64.b64encode(one.tobytes()).decode()
                for kind, one in kept.items()
            },
            SEAL: OPEN_SEAL,
        }
        _describe(temporary, texts)
        digest = seal(temporary)
        difference = graph_difference(network, temporary)
        if difference > TOLERANCE and not int8:
            raise InputError(
                f"the graph of {network.description.method} gives other probabilities than the "
                f"network (by {difference:.2g}); it was not kept"
            )
        with temporary.open("rb") as file:
            sync_file(file)
        replace_file(temporary, out)
    except OSError as error:
        raise InputError(f"cannot write {out} ({error}); what was there is intact") from error
    finally:
        temporary.unlink(missing_ok=True)
    return Exported(digest, difference)


def for_leads(network: LockedNetwork, leads: Sequence[str]) -> LockedNetwork:
    """Return the same weights for fewer leads; the others count as absent.

    Raises:
        InputError: a lead that the model does not have.
    """
    known = network.description.trained_leads
    foreign = [lead for lead in leads if lead not in known]
    if foreign:
        raise InputError(
            f"the model was trained on {', '.join(known)}; it has no {', '.join(foreign)}"
        )
    fewest = min(network.description.fewest_leads, len(leads))
    described = replace(network.description, leads=tuple(leads), fewest_leads=fewest)
    return LockedNetwork(described, list(network.networks), list(network.heads)).eval()


def graph_difference(network: LockedNetwork, path: Path) -> float:
    """Return the largest difference of probabilities on noise in random leads.

    Raises:
        InputError: onnxruntime cannot run the graph.
    """
    draw = np.random.default_rng(0)
    rows, n_samples = len(network.description.leads), int(network.networks[0].n_samples)  # type: ignore[arg-type]
    ecg = draw.normal(scale=0.3, size=(N_COMPARED, rows, n_samples)).astype(np.float32)
    present = draw.random((N_COMPARED, rows)) < 0.7
    present[np.arange(N_COMPARED), draw.integers(rows, size=N_COMPARED)] = True
    with torch.inference_mode():
        expected = network(torch.from_numpy(ecg), torch.from_numpy(present)).probability.numpy()
    try:
        found = OnnxPredictor(path).score(ecg, present).probability
    except InputError:
        raise
    except Exception as error:  # onnxruntime's own classes have no common parent
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"the graph of {network.description.method} does not run: {reason}"
        ) from error
    return float(np.abs(found - expected).max())


def _write_graph(network: LockedNetwork, path: Path) -> None:
    description = network.description
    rows, n_samples = len(description.leads), int(network.networks[0].n_samples)  # type: ignore[arg-type]
    ecg = torch.randn(2, rows, n_samples)
    present = torch.ones(2, rows, dtype=torch.bool)
    batch = torch.export.Dim("batch", min=1)
    try:
        with warnings.catch_warnings(action="ignore"), _silence():
            torch.onnx.export(
                network, (ecg, present), path, dynamo=True, external_data=False, verbose=False,
                input_names=["ecg", "present"],
                output_names=["probability", "uncertainty", "logit"],
                dynamic_shapes=({0: batch}, {0: batch}),
            )  # fmt: skip
    except ModuleNotFoundError as error:
        raise InputError(
            f"export needs the package {error.name}: {install_extra('export')}"
        ) from error
    except torch.onnx.OnnxExporterError as error:
        cause = " ".join(str(error.__cause__ or error).split())[:120]
        raise InputError(
            f"there is no graph of {description.method}: torch cannot write what it does to "
            f"recordings as one ({cause}); apply the model file with torch"
        ) from error


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what the exporter prints about packages of no concern off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _describe(path: Path, texts: dict[str, str]) -> None:
    """Write texts into a graph's metadata; the seal last, so that it stands at the end."""
    import onnx

    graph = onnx.load(path)
    del graph.metadata_props[:]
    for name, text in texts.items():
        graph.metadata_props.add(key=name, value=text)
    onnx.save(graph, path)
