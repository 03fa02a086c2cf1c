"""Describe a method: a row of a table of results, as an experiment file or a class says it."""

import copy
import inspect
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch

from lsemvae.core.errors import InputError
from lsemvae.core.experiments import read_experiment
from lsemvae.core.leads import LEADS
from lsemvae.core.made_with import differences
from lsemvae.core.types import EcgInput
from lsemvae.models.base import EcgNetwork
from lsemvae.runtime.own_classes import class_path, import_class, source_sha256

Size = Literal["paper", "small"]


@dataclass(frozen=True)
class Method:
    """One row of a table of results.

    Attributes:
        title: as tables show it.
        experiment: the file that pre-trains its encoder, or that trains it end to end on 12 leads:
            below `experiments/`, or the path of the user's own; empty where only a class is named.
        small: what differs at the size `small`, for a laptop.
        multimodal: whether each lead is a modality of its own (the paper's "study type"); None for
            a network of the user's own.
        model: what the experiment file says of the model, where it is the user's own.
    """

    title: str
    experiment: str
    small: Mapping[str, Any] = field(default_factory=dict)
    multimodal: bool | None = True
    model: Mapping[str, Any] | None = None

    @cached_property
    def _model(self) -> Mapping[str, Any]:
        if self.model is not None:
            return self.model
        model: Mapping[str, Any] = read_experiment(self.experiment)["model"]
        return model

    @property
    def class_path(self) -> str:
        """Class of the network, as the experiment file names it."""
        return str(self._model["init_args"]["network"]["class_path"])

    @cached_property
    def network(self) -> type[EcgNetwork]:
        """Class of the network."""
        path = self.class_path
        found = import_class(path)
        if not issubclass(found, EcgNetwork):
            raise InputError(
                f"{path} is no network: it must derive from lsemvae.models.EcgNetwork or "
                "FixedLeadNetwork, see docs/own_network.md"
            )
        return found

    @property
    def own(self) -> bool:
        """Whether the network is the user's own."""
        return self.model is not None

    @property
    def encoder_file(self) -> str | None:
        """The encoder that the method itself names, None where --encoder names it."""
        return None

    @property
    def init_args(self) -> Mapping[str, Any]:
        """Arguments of the network, where they differ from its defaults, which are the paper's."""
        given: Mapping[str, Any] = self._model["init_args"]["network"].get("init_args") or {}
        return given

    @property
    def feature(self) -> str | None:
        """Which feature of a trained encoder it takes, None where there is no choice."""
        name = "feature"
        if name not in self.network.reading_args:
            return None
        parameter = inspect.signature(self.network).parameters.get(name)
        default = None if parameter is None else parameter.default
        chosen: str | None = self.init_args.get(name, default)
        return chosen

    def check_encoder(self, network: EcgNetwork, ecg_input: EcgInput, path: str) -> None:
        """Refuse an encoder of another method: other in anything but size, input and reading.

        Args:
            network: read from the checkpoint.
            ecg_input: what it was trained on.
            path: of the checkpoint, for the message.

        Raises:
            InputError: names what the encoder is and what it should be.
        """
        found, wanted = type(network).__name__, self.network.__name__
        if found != wanted:
            raise InputError(
                f"{path} holds a {found}, {self.title} needs a {wanted}; name the method of its "
                "pre-training with --method (ls_emvae_recommended for the encoders that ship)"
            )
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):
            expected = self.build(ecg_input, LEADS).init_args
        free = {*self.network.input_args(ecg_input, LEADS), *self.small, *self.network.reading_args}
        fixed = {name: value for name, value in expected.items() if name not in free}
        other = differences(network.init_args, fixed)
        if other:
            raise InputError(
                f"{path} is not the encoder of {self.title} ({'; '.join(other)}); pre-train one "
                f"with {self.experiment if self.own else f'experiments/{self.experiment}'}"
            )

    def pretraining(self) -> dict[str, Any]:
        """Return all that an experiment of the package says of the training, as plain values.

        Not what the trained network is read by, nor where its files lie.
        """
        said = copy.deepcopy(read_experiment(self.experiment))
        network = said["model"]["init_args"]["network"]
        given = network.get("init_args") or {}
        read = self.network.reading_args
        network["init_args"] = {name: given[name] for name in given if name not in read}
        for place in ("default_root_dir", "logger"):
            said["trainer"].pop(place, None)
        return {**said, "small": self.small}

    def about(self) -> dict[str, Any]:
        """Return what tables say of the method, as a run keeps it in metrics.json."""
        return {
            "title": self.title,
            "study_type": self.study,
            "pretrained": self.pretrained,
        }

    @property
    def study(self) -> str:
        """The paper's study type, or that the network is the user's own."""
        if self.multimodal is None:
            return "Own"
        return "Multimodal" if self.multimodal else "Unimodal"

    def described(self) -> dict[str, Any] | None:
        """Return what a run keeps of a network of the user's own, None for the package's.

        Its class, arguments and the SHA-256 of the file that defines it: another network under the
        same name is another run.
        """
        if not self.own:
            return None
        return {
            "class_path": class_path(self.network),
            "init_args": dict(self.init_args),
            "pretrained": self.pretrained,
            "source_sha256": source_sha256(self.network),
        }

    @property
    def pretrained(self) -> bool:
        """Whether the method freezes a pre-trained encoder."""
        return str(self._model["class_path"]).endswith(".Pretrainer")

    def takes(self, leads: Sequence[str]) -> bool:
        """Tell whether the method has a form for these leads."""
        return self.network.takes(leads)

    def network_args(self, ecg_input: EcgInput, leads: Sequence[str], size: Size) -> dict[str, Any]:
        """Return the constructor's arguments, as plain values, for recordings, leads and a size."""
        smaller = self.small if size == "small" else {}
        return {**self.init_args, **self.network.input_args(ecg_input, leads), **smaller}

    def build(self, ecg_input: EcgInput, leads: Sequence[str], size: Size = "paper") -> EcgNetwork:
        """Build the network.

        Raises:
            InputError: a network of the user's own does not take its arguments.
        """
        given = self.network_args(ecg_input, leads, size)
        if not self.own:
            return self.network.from_plain(given)
        try:
            return self.network.from_plain(given)
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                f"{class_path(self.network)} cannot be built with {', '.join(given)} "
                f"({type(error).__name__}: {' '.join(str(error).split())}); state its further "
                "arguments in a YAML file, see docs/own_network.md"
            ) from error
