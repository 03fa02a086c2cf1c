"""`prepare cinc2021` and `prepare chapman` on headers of the official form, and on genuine ones."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_modules.public_sets.physionet import CODE, NAME, SCORED_ALIKE
from data_modules.public_sets.snomed import read_names, snomed_table
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.core.errors import InputError
from tests.conftest import error_of

AF, RBBB, CRBBB, SR, SB = "164889003", "59118001", "713427006", "426783006", "426177001"
DATABASES = {"E": "georgia/g1", "HR": "ptb-xl/g1", "JS": "ningbo/g1"}
NAN = np.nan


def write_headers(folder: Path, headers: dict[str, str]) -> None:
    """Write headers by name; the text is that of the comments."""
    for name, comments in headers.items():
        file = folder / f"{name}.hea"
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{file.stem} 1 500 5000", f"{file.stem}.mat 16+24 1000/mV 16 0 0 0 0 I"]
        file.write_text("\n".join([*lines, *comments.splitlines()]) + "\n")


def table_of(folder: Path, **names: str) -> pd.DataFrame:
    return snomed_table(folder, names, same=SCORED_ALIKE, what="the folder")


def test_a_code_is_missing_where_a_database_never_has_it(tmp_path: Path) -> None:
    write_headers(tmp_path, {
        "training/georgia/g1/E1": f"# Age: 78\n# Sex: Male\n# Dx: {AF},{CRBBB}",
        "training/georgia/g1/E2": f"# Age: NaN\n# Sex: Unknown\n# Dx: {SR}",
        "training/georgia/g1/E3": "# Age: 60\n# Sex: Female\n# Dx: ",
        "training/ningbo/g1/J1": f"#Age: 50\n#Sex: Female\n#Dx: {RBBB}",
        "training/ningbo/g1/J2": f"#Age: 300\n#Sex: Female\n#Dx: {SR}",
    })  # fmt: skip
    table = table_of(tmp_path)
    assert table["database"].tolist() == ["georgia"] * 3 + ["ningbo"] * 2
    np.testing.assert_array_equal(table[f"dx_{AF}"], [1, 0, NAN, NAN, NAN])
    np.testing.assert_array_equal(table[f"dx_{RBBB}"], [1, 0, NAN, 1, 0])  # scored as one
    np.testing.assert_array_equal(table[f"dx_{SR}"], [0, 1, NAN, 0, 1])
    assert f"dx_{CRBBB}" not in table
    np.testing.assert_array_equal(table["age_years"], [78, NAN, 60, 50, NAN])
    assert table["sex"].tolist() == ["M", "", "F", "F", "F"]
    assert table["record"][0] == "training/georgia/g1/E1"


def test_codes_have_the_names_of_the_mapping(tmp_path: Path) -> None:
    write_headers(tmp_path, {"a": f"# Dx: {AF}", "b": f"# Dx: {SR}"})
    (tmp_path / "map.csv").write_text(
        f"Dx,SNOMEDCTCode,Abbreviation,CPSC\natrial fibrillation,{AF},AF,1221\n"
    )
    names = read_names(tmp_path / "map.csv", CODE, NAME)
    assert {"AF", f"dx_{SR}"} <= set(table_of(tmp_path, **names))


def test_what_is_wrong_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"no .hea file lies below"):
        table_of(tmp_path)
    write_headers(tmp_path, {"a/x": f"# Dx: {AF}", "b/x": f"# Dx: {AF}"})
    with pytest.raises(InputError, match="holds the record x twice"):
        table_of(tmp_path)
    (tmp_path / "map.csv").write_text("code,name\n1,2\n")
    out = str(tmp_path / "x.h5")
    for command, message in (
        (["prepare", "cinc2021", "--source", str(tmp_path), "--out", out, "--mapping",
          json.dumps([str(tmp_path / "map.csv")])], "needs a column SNOMEDCTCode or"),
        (["prepare", "chapman", "--source", str(tmp_path), "--out", out],
         "ConditionNames_SNOMED-CT.csv not found"),
    ):  # fmt: skip
        assert main(command) == 2
        assert message in error_of(capsys)


@pytest.fixture
def genuine() -> Path:
    corpora = os.environ.get("ECG_CORPORA")
    if corpora is None:
        pytest.skip("ECG_CORPORA is unset: no real recordings here")
    return Path(corpora) / "cinc2021"


def test_genuine_recordings_of_three_databases(genuine: Path, tmp_path: Path) -> None:
    for file in [*genuine.glob("*.hea"), *genuine.glob("*.mat")]:
        prefix = "".join(sign for sign in file.stem if sign.isalpha())
        target = tmp_path / "training" / DATABASES[prefix]
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    out, mapping = tmp_path / "cinc.h5", genuine / "dx_mapping_challenge2021.csv"
    assert main(
        ["prepare", "cinc2021", "--source", str(tmp_path), "--out", str(out), "--mapping",
         json.dumps([str(mapping)]), "--signal.sampling_rate_hz", "100"]
    ) == 0  # fmt: skip
    store = EcgStore(out)
    table = store.table.set_index("patient_id")
    assert store.unit == "mV"
    assert set(table["database"]) == {"georgia", "ptb-xl", "ningbo"}
    names = dict(pd.read_csv(mapping, dtype=str)[["snomed_code", "abbreviation"]].to_numpy())
    for header in genuine.glob("*.hea"):
        if header.stem not in table.index:
            continue
        (line,) = [one for one in header.read_text().splitlines() if "Dx:" in one]
        codes = {SCORED_ALIKE.get(code, code) for code in line.split(":")[1].strip().split(",")}
        for code in codes:
            assert table.loc[header.stem, names.get(code) or f"dx_{code}"] == 1


def test_genuine_recordings_in_the_layout_of_chapman(genuine: Path, tmp_path: Path) -> None:
    folder = tmp_path / "WFDBRecords/20/200"
    folder.mkdir(parents=True)
    files = [*genuine.glob("JS*.hea"), *genuine.glob("JS*.mat")]
    for file in files:
        shutil.copy(file, folder)
    (tmp_path / "ConditionNames_SNOMED-CT.csv").write_text(
        f"Acronym Name,Full Name,Snomed_CT\nSB,Sinus Bradycardia,{SB}\nAFIB,Fibrillation,{AF}\n"
    )
    out = tmp_path / "chapman.h5"
    rate = ["--signal.sampling_rate_hz", "100"]
    assert main(["prepare", "chapman", "--source", str(tmp_path), "--out", str(out), *rate]) == 0
    table = EcgStore(out).table
    assert 0 < len(table) <= len(files) / 2
    assert table["SB"].isin([0, 1]).all()
    assert table["SB"].sum() > 0
    assert table["patient_id"].is_unique
