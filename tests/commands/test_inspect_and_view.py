"""What the two commands say and draw about stores and recordings, sound and spoilt."""

import os
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import data_modules.store.write
import lsemvae.viewing.sheet
from benchmarks.recording_files import WRITERS, make_counts, wfdb_files
from data_modules.reading.reasons import REMEDIES
from data_modules.signals.settings import SignalSettings
from data_modules.simulation.files import write_mimic
from data_modules.store.read import EcgStore
from lsemvae.cli import main
from lsemvae.commands.view import view
from lsemvae.core.findings import FindingsFoundError
from lsemvae.viewing.recordings import view_of_file
from lsemvae.viewing.sheet import draw_view
from tests.conftest import error_of


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six or so recordings in shards, one of them with a flat lead, one damaged."""
    monkeypatch.setattr(data_modules.store.write, "SINGLE_FILE_BYTES", 0)
    source = tmp_path / "mimic"
    listed = write_mimic(source, n_patients=4, seed=1)
    flat, damaged = source / listed["path"][0], source / listed["path"][1]
    samples = np.fromfile(flat.with_suffix(".dat"), "<i2").reshape(-1, 12)
    header = flat.with_suffix(".hea").read_text().splitlines()
    lost = samples[:, 11].sum(dtype=np.int64) % 65536
    samples[:, 11] = 0
    samples.tofile(flat.with_suffix(".dat"))
    sums = [line.split() for line in header]
    for words in sums:
        if words[-1] == "V6":
            assert int(words[6]) % 65536 == lost
            words[6] = "0"
    flat.with_suffix(".hea").write_text("\n".join(" ".join(words) for words in sums) + "\n")
    content = damaged.with_suffix(".dat").read_bytes()
    damaged.with_suffix(".dat").write_bytes(content[::-1])
    arguments = ["--source", str(source), "--out", str(tmp_path / "m.h5"), "--label", "Set A"]
    assert main(["prepare", "mimic", *arguments]) == 0
    return tmp_path / "m.h5"


def test_inspect_says_what_is_in_a_store(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["inspect", str(store), "--verify"]) == 0
    lines = capsys.readouterr().out.splitlines()
    said = {line[:14].strip(): line[14:].strip() for line in lines}
    opened = EcgStore(store)
    n = len(opened)
    assert said["data"] == "Set A, SYNTHETIC"
    assert said["made from"] == f"{n + 1} listed recordings in mimic"
    assert said["records"] == f"{n} of {opened.table['patient_id'].nunique()} patients"
    assert said["rejected"] == "checksum_mismatch 1"
    assert said["warnings"] == "lead_flat 1"
    assert said["leads lacking"] == "V6 1"
    assert f"patient_id ({n})" in said["columns"]
    assert '"high_hz": 40.0' in said["settings"]
    assert said["sha256"] == opened.sha256
    assert (said["table"], said["signals"]) == ("as written", f"as written, all {n}")


def test_inspect_finds_a_flipped_bit_in_a_signal(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = EcgStore(store)
    opened.read([0])
    file, offset = opened._files[0]
    flip(Path(file.name), offset + int(opened.rows[2]) * 120_000 + 77)
    assert main(["inspect", str(store)]) == 0
    assert main(["inspect", str(store), "--verify"]) == 2
    record = opened.table["record"][2]
    assert f"signals of 1 record are not those that were written, the first is {record}" in (
        error_of(capsys)
    )


def test_inspect_finds_a_flipped_bit_in_the_table(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(store, EcgStore(store)._places["table/1"].offset)
    assert main(["inspect", str(store)]) == 2
    assert "the table is not the one that was written" in error_of(capsys)


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        byte = os.pread(file.fileno(), 1, position)[0]
        os.pwrite(file.fileno(), bytes([byte ^ 1]), position)


def ink(picture: Path) -> float:
    """Return the share of dark pixels."""
    return float((matplotlib.image.imread(picture)[..., :3].max(-1) < 0.3).mean())


def test_view_draws_a_record_of_a_store_by_name_and_by_row(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = store.parent
    record = EcgStore(store).table["record"][0]
    capsys.readouterr()
    view(f"{store}:{record}", out=str(folder / "name.png"))
    assert "lead_flat: V6" in capsys.readouterr().out
    view(f"{store}:0", out=str(folder / "row.png"))
    assert (folder / "name.png").read_bytes() == (folder / "row.png").read_bytes()
    assert ink(folder / "name.png") > 0.005
    view(f"{store}:1", out=str(folder / "sound.png"))
    assert "accepted: the checks found nothing" in capsys.readouterr().out


def test_a_picture_is_named_after_the_record_and_its_store(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = EcgStore(store).table["record"][0]
    assert "/" in record
    monkeypatch.chdir(store.parent)
    monkeypatch.setattr(lsemvae.viewing.sheet, "draw_view", lambda *_, **__: Figure())
    capsys.readouterr()
    assert main(["view", "m.h5:0"]) == 0
    picture = f"m-{record.replace('/', '-')}.png"
    assert Path(picture).is_file()
    assert not Path("0.png").exists()
    printed = capsys.readouterr().out
    assert f"recording: {record} of Set A (SYNTHETIC)\n" in printed
    assert f"picture: {picture}\n" in printed


def test_view_of_a_file_runs_the_checks(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = store.parent
    record = folder / "mimic" / EcgStore(store).table["record"][0]
    for name in (str(record), f"{record}.hea", f"{record}.dat"):
        view(name, out=str(folder / "file.png"))
        assert "lead_flat: V6" in capsys.readouterr().out
    accepted = ink(folder / "file.png")
    strict = SignalSettings(bad_leads="reject")
    with pytest.raises(FindingsFoundError):
        view(str(record), out=str(folder / "rejected.png"), signal=strict)
    assert "bad_leads is reject" in capsys.readouterr().out
    assert ink(folder / "rejected.png") > accepted / 2


def test_view_draws_what_holds_no_sample_without_a_word_of_numpy(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    name, leads, writer = WRITERS["WFDB"]
    for file, content in writer(np.full_like(make_counts(leads), -(1 << 15)), leads).items():
        (tmp_path / file).write_bytes(content)
    for amplitude in ("calibrated", "arbitrary"):
        arguments = [str(tmp_path / name), "--out", str(tmp_path / "empty.png")]
        assert main(["view", *arguments, "--amplitude", amplitude]) == 1
        assert "no_usable_lead" in capsys.readouterr().out
    assert not [warning for warning in recwarn if warning.category is RuntimeWarning]


def test_view_draws_other_kinds_of_files_and_says_that_there_are_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, leads, writer = WRITERS["GE MUSE XML"]
    for file, content in writer(make_counts(leads), leads).items():
        (tmp_path / file).write_bytes(content)
    titles: list[str] = []
    draw = lsemvae.viewing.sheet.draw_view

    def watch(seen: Any, **more: Any) -> Any:
        titles.append(seen.title)
        return draw(seen, **more)

    monkeypatch.setattr(lsemvae.viewing.sheet, "draw_view", watch)
    for duration_s in (6.0, 10.0):
        signal = SignalSettings(duration_s=duration_s)
        view(str(tmp_path / name), out=str(tmp_path / "muse.png"), signal=signal)
    assert [title.rpartition(": ")[2] for title in titles] == ["accepted", "accepted with warnings"]
    printed = capsys.readouterr().out
    assert "padded" in printed
    assert f"(to do: {REMEDIES['padded']})" in printed


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("{store}:nothing", "holds no record 'nothing'"),
        ("{store}:999", "holds no record '999'"),
        ("{folder}/nothing", "nothing"),
        ("{folder}/none.h5:0", "there is no store"),
        ("{store}", "is a store; name a recording of it, STORE:RECORD, such as {store}:"),
        ("{folder}/mimic", "is a folder; name a recording, such as {folder}/mimic/files/p"),
    ],
)
def test_view_names_what_is_not_there(
    store: Path, record: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"store": store, "folder": store.parent}
    assert main(["view", record.format(**places)]) == 2
    assert expected.format(**places) in error_of(capsys)


def test_a_view_has_a_rhythm_strip_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    """Ten seconds: 2.5 of each lead and all of II, or all of all on demand."""
    counts = make_counts(n_samples=2500)
    for file, content in wfdb_files(counts).items():
        (tmp_path / file).write_bytes(content)
    seen = view_of_file(str(tmp_path / "r1"), "calibrated", SignalSettings())
    usual, whole = draw_view(seen), draw_view(seen, whole=True)
    lengths = [sorted({len(line.get_xdata()) for line in one.axes[0].lines}) for one in
               (usual, whole)]  # fmt: skip
    assert lengths == [[1250, 5000], [5000]]
    corner = [next(text.get_text() for text in one.axes[0].texts if "mm/s" in text.get_text())
              for one in (usual, whole)]  # fmt: skip
    assert "shown: 2.5 s of each lead and 10 s of II, of 10 s" in corner[0]
    assert "shown" not in corner[1]
    strip = max(usual.axes[0].lines, key=lambda line: len(line.get_xdata()))
    lead = seen.ecg[1] * 10  # 10 mm/mV
    drawn = np.asarray(strip.get_ydata(), dtype=float)
    np.testing.assert_allclose(drawn - drawn[0], lead - lead[0], atol=1e-6)


def test_findings_below_a_narrow_sheet_stay_on_it(tmp_path: Path) -> None:
    for file, content in wfdb_files(make_counts(n_samples=2500)).items():
        (tmp_path / file).write_bytes(content)
    seen = view_of_file(str(tmp_path / "r1"), "calibrated", SignalSettings())
    long = [("resampled", " ".join(["from 500 to 250 Hz"] * 12))]
    figure = draw_view(seen._replace(ecg=seen.ecg[:, :600], findings=long))
    below = figure.texts[-1].get_window_extent(FigureCanvasAgg(figure).get_renderer())
    assert below.x1 <= figure.bbox.x1
    assert below.y0 >= 0


def test_a_view_of_what_calls_itself_synthetic_says_so(recordings: Path) -> None:
    record = str(recordings / "cohort/records/ecg00001")
    seen = view_of_file(record, "calibrated", SignalSettings())
    assert seen.title == f"{record} (SYNTHETIC): accepted"


@pytest.mark.parametrize(
    "written", ["sub\\r1", "sub/r1.hea", "sub\\r1.HEA", "sub/r1.dat", "sub/r1"]
)
def test_a_record_is_viewed_however_a_table_writes_it(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    for file, content in wfdb_files(make_counts()).items():
        (tmp_path / "sub" / file).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lsemvae.viewing.sheet, "draw_view", lambda *_, **__: Figure())
    assert main(["view", written]) == 0
    assert (tmp_path / "r1.png").is_file()


@pytest.mark.parametrize(("factor", "told"), [(1, False), (2, False), (8, True), (0.1, True)])
def test_a_view_tells_a_gain_that_no_heart_gives(
    factor: float, told: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = wfdb_files(make_counts(n_samples=2500))
    header = files["r1.hea"].replace(b"200(0)/mV", f"{200 / factor:g}(0)/mV".encode())
    (tmp_path / "r1.hea").write_bytes(header)
    (tmp_path / "r1.dat").write_bytes(files["r1.dat"])
    assert main(["view", str(tmp_path / "r1"), "--out", str(tmp_path / "r1.png")]) == 0
    text = capsys.readouterr().out
    assert ("gain_doubtful: amplitude" in text) == told
