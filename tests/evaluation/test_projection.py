from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lsemvae.core.errors import InputError
from lsemvae.evaluation.projection import project, read_projection, write_projection


def test_components_keep_what_two_directions_hold(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(50, 2)) * (3, 1)
    directions = np.linalg.qr(rng.normal(size=(5, 2)))[0]
    record = pd.Series([f"{number:03}" for number in range(50)])
    found = project((plane @ directions.T + 7).astype(np.float32), record)
    assert found[["explained_1", "explained_2"]].iloc[0].sum() == pytest.approx(1)
    places = found[["component_1", "component_2"]].to_numpy()
    distance = np.linalg.norm(places[:, None] - places, axis=-1)
    assert distance == pytest.approx(np.linalg.norm(plane[:, None] - plane, axis=-1), abs=1e-4)
    write_projection(tmp_path, found)
    kept = read_projection(tmp_path)
    assert kept is not None
    assert kept["record"].tolist() == record.tolist()
    assert read_projection(tmp_path / "none") is None


def test_one_feature_has_one_component() -> None:
    found = project(np.arange(4.0)[:, None], pd.Series(list("abcd")))
    assert (found["component_2"] == 0).all()
    assert found["explained_1"].iloc[0] == pytest.approx(1)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "projection.csv").write_text("record,component_1\na,1\n")
    with pytest.raises(InputError, match="its columns are others"):
        read_projection(tmp_path)
