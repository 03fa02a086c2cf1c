"""Offer a frozen encoder as a transformer of scikit-learn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from lsemvae.core.errors import InputError

if TYPE_CHECKING:
    from lsemvae.encoding.arrays import ArrayEncoder


class EcgEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn recordings (N, L, T) into features (N, F) within a pipeline of scikit-learn.

    Nothing is learnt from the recordings: `fit` opens the encoder and checks their shape. A
    pipeline with `memory=` encodes each part of a cross-validation once.

    Args:
        sampling_rate_hz: of the recordings.
        leads: names of the L leads in their order; 12 or 6 for the usual order.
        encoder: a checkpoint, or the name of an encoder that ships.
        use: leads that the encoder may see: 12, 6 or names.
        unit: mV, uV or V; `arbitrary` where amplitudes mean nothing.
        bad: `raise` names the first recording that cannot be used; `nan` gives it a row of NaN.
        batch_size: recordings in memory at a time.

    Attributes:
        n_features_out_: F, once fitted.
    """

    def __init__(
        self,
        sampling_rate_hz: float = 500.0,
        leads: int | str | Sequence[str] = 12,
        *,
        encoder: str = "public",
        use: int | str | list[str] = 12,
        unit: str = "mV",
        bad: Literal["raise", "nan"] = "raise",
        batch_size: int = 64,
    ) -> None:
        self.sampling_rate_hz = sampling_rate_hz
        self.leads = leads
        self.encoder = encoder
        self.use = use
        self.unit = unit
        self.bad = bad
        self.batch_size = batch_size

    def fit(self, X: npt.ArrayLike, y: Any = None) -> "EcgEncoder":  # noqa: ARG002, N803
        """Open the encoder and check the shape of the recordings.

        Args:
            X: (N, L, T).
            y: not used.

        Raises:
            InputError: see `lsemvae.encode`.
        """
        opened = self._open()
        shape = np.shape(X)
        if len(shape) != 3 or not shape[0]:
            raise InputError(f"expected recordings (N, L, T), N >= 1, got {shape}")
        self._opened = opened
        self.n_features_out_ = opened.n_features
        return self

    def transform(self, X: npt.ArrayLike) -> npt.NDArray[np.float32]:  # noqa: N803
        """Return the features (N, F) of recordings (N, L, T).

        Raises:
            InputError: see `lsemvae.encode`.
        """
        check_is_fitted(self, "n_features_out_")
        if not hasattr(self, "_opened"):
            self._opened = self._open()
        return self._opened.encode(X, bad=self.bad, batch_size=self.batch_size)

    def get_feature_names_out(
        self,
        input_features: Any = None,  # noqa: ARG002
    ) -> npt.NDArray[np.object_]:
        """Return the names of the features: ecgencoder0, ecgencoder1, ..."""
        check_is_fitted(self, "n_features_out_")
        names = [f"ecgencoder{number}" for number in range(self.n_features_out_)]
        return np.asarray(names, dtype=object)

    def _open(self) -> "ArrayEncoder":
        from lsemvae.encoding.arrays import ArrayEncoder
        from lsemvae.models import load_pretrained

        return ArrayEncoder(
            load_pretrained(self.encoder), self.sampling_rate_hz, self.leads, use=self.use,
            unit=self.unit,
        )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        """Leave the weights out of a pickle: they are read again from their own file."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_opened"}

    def __sklearn_tags__(self) -> Tags:
        """Say that recordings have three axes and may lack samples."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags
