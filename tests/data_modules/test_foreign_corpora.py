"""Genuine files: read as independent readers read them, or refused for the right reason."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import wfdb

from data_modules.reading.lead_names import known_lead
from data_modules.reading.read import read_recording
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import Recording
from data_modules.signals.clean import SignalSettings, clean_ecg
from lsemvae.core.leads import LEADS, LIMB_LEADS

REFUSED = {
    "100-no-len": "length_missing",
    "a103l-no-len": "length_missing",
    "310derive": "no_known_lead",
    "310derive_2": "no_known_lead",
    "310derive_3": "no_known_lead",
    "311derive": "no_known_lead",
    "311derive_2": "no_known_lead",
    "binformats": "no_known_lead",
    "flacformats": "no_known_lead",
    "test01_00s": "no_known_lead",
    "test01_00s_skew": "no_known_lead",
    "test01_00s_frame": "layout_unsupported",
    "mixedsignals": "layout_unsupported",
    "dangling_headers/1003": "file_missing",
    "dangling_headers/12726": "file_missing",
    "ecgkit/800": "no_known_lead",
    "multi-segment/041s/041s": "multi_segment",
    "multi-segment/041s/041s01": "layout_unsupported",
    "multi-segment/041s/041s02": "layout_unsupported",
}
WITHOUT_UNIT = ("100", "100skew", "s0010_re")
MV = {"mV": 1.0, "mv": 1.0, "uV": 1e-3}


def records(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix()[:-4] for path in folder.rglob("*.hea"))


def agree_with_wfdb(folder: Path, record: str, recording: Recording) -> None:
    reference = wfdb.rdrecord(str(folder / record))
    channels = [i for i, name in enumerate(reference.sig_name) if known_lead(name.strip())]
    scale = np.array([MV[reference.units[i]] for i in channels])
    expected = (reference.p_signal[:, channels] * scale).T
    np.testing.assert_allclose(recording.ecg, expected, rtol=1e-6, atol=1e-7)


def test_every_file_of_wfdb_formats_is_read_right_or_refused_rightly(corpora: Path) -> None:
    folder, found = corpora / "wfdb_formats", {}
    for record in records(folder):
        try:
            recording = read_recording(folder, record, amplitude="default_mv")
        except RecordError as error:
            found[record] = error.code
            continue
        agree_with_wfdb(folder, record, recording)
        assumed = "unit_assumed" in dict(recording.warnings)
        assert assumed == (record in WITHOUT_UNIT)
    assert found == REFUSED


def test_fifteen_leads_at_1000_hz_are_read_as_twelve(corpora: Path) -> None:
    recording = read_recording(corpora / "wfdb_formats", "s0010_re", amplitude="default_mv")
    assert recording.leads == LEADS
    assert recording.sampling_rate_hz == 1000
    assert "vx, vy, vz" in dict(recording.warnings)["signals_ignored"]
    assert clean_ecg(recording, SignalSettings()).present.all()


@pytest.mark.parametrize("name", ["binformats", "flacformats", "310derive_3", "311derive"])
def test_rare_formats_are_read_once_their_signals_are_named(
    corpora: Path, tmp_path: Path, name: str
) -> None:
    for path in (corpora / "wfdb_formats").glob(f"{name}.d*"):
        shutil.copy(path, tmp_path)
    lines = (corpora / "wfdb_formats" / f"{name}.hea").read_text().splitlines()
    signals = [line for line in lines[1:] if not line.startswith("#")]
    named = [
        " ".join(line.split()[:8]).replace(" 200 ", " 200/mV ") + f" {lead}"
        for line, lead in zip(signals, LEADS, strict=False)
    ]
    (tmp_path / f"{name}.hea").write_text("\n".join([lines[0], *named]))
    recording = read_recording(tmp_path, name, amplitude="calibrated")
    assert len(recording.leads) == len(named)
    agree_with_wfdb(tmp_path, name, recording)


@pytest.mark.parametrize("folder", ["cinc2021", "cpsc2018/cinc2020_style", "ptbxl_raw"])
def test_every_record_of_the_challenges_is_read_as_wfdb_reads_it(
    corpora: Path, folder: str
) -> None:
    listed = records(corpora / folder)
    assert listed
    for record in listed:
        recording = read_recording(corpora / folder, record, amplitude="calibrated")
        assert set(recording.leads) == set(LEADS)
        agree_with_wfdb(corpora / folder, record, recording)


def test_the_structures_of_cpsc2018_are_read_with_a_layout(corpora: Path, tmp_path: Path) -> None:
    layout = {"leads": LEADS, "sampling_rate_hz": 500, "unit": "mV", "variable": "ECG.data"}
    (tmp_path / "layout.json").write_text(json.dumps(layout))
    paths = sorted((corpora / "cpsc2018/original_struct").glob("*.mat"))
    assert len(paths) == 10
    for path in paths:
        shutil.copy(path, tmp_path)
        recording = read_recording(tmp_path, path.name, amplitude="calibrated")
        expected = scipy.io.loadmat(path)["ECG"]["data"][0, 0]
        np.testing.assert_allclose(recording.ecg, expected, rtol=1e-6, atol=1e-7)
        assert clean_ecg(recording, SignalSettings()).present.sum() >= 11


def vendor(corpora: Path, record: str) -> Recording:
    return read_recording(corpora / "vendor_formats", record, amplitude="calibrated")


def ordered(recording: Recording) -> np.ndarray:
    return recording.ecg[[recording.leads.index(lead) for lead in LEADS]]


def test_one_recording_in_four_formats_is_one_recording(corpora: Path) -> None:
    names = ("hl7_aecg/Example_aECG.xml", "hl7_aecg/ecgkit_ecg_hl7.xml", "scp_ecg/Example.scp",
             "dicom/ECGToolkit_Example.dcm")  # fmt: skip
    first, *others = [vendor(corpora, name) for name in names]
    assert first.sampling_rate_hz == 500
    for other in others:
        assert other.sampling_rate_hz == first.sampling_rate_hz
        np.testing.assert_allclose(ordered(other), ordered(first), atol=1e-6)


def test_the_six_limb_leads_are_the_same_in_edf_scp_and_csv(corpora: Path, tmp_path: Path) -> None:
    edf = vendor(corpora, "contec_edf_csv/0000050.ECG.edf")
    scp = vendor(corpora, "scp_ecg/contec_0000050.scp")
    shutil.copy(corpora / "vendor_formats/contec_edf_csv/0000050.ECG.csv", tmp_path)
    layout = {"leads": LEADS, "sampling_rate_hz": 800, "unit": "uV", "counts_per_unit": 0.2}
    (tmp_path / "layout.json").write_text(json.dumps(layout))
    table = read_recording(tmp_path, "0000050.ECG.csv", amplitude="calibrated")
    assert edf.sampling_rate_hz == scp.sampling_rate_hz == 800
    assert round(edf.ecg.shape[-1] / 800) == 47
    assert dict(scp.warnings)["samples_cut"].startswith("it holds 32767")
    n = scp.ecg.shape[-1]
    np.testing.assert_allclose(table.ecg[:6, :n], scp.ecg[:6], atol=1e-6)
    # the EDF file states 2000 mV for 65535 counts, SCP 5 uV for each: one of them is not true
    ratio = 2000 / 65535 / 0.005
    moved = [recording.ecg[:6, :n] - recording.ecg[:6, :1] for recording in (edf, scp)]
    np.testing.assert_allclose(moved[0], moved[1] * ratio, atol=1e-4)


@pytest.mark.parametrize("name", ["contec_edf_csv/0000050.ECG.edf", "scp_ecg/contec_0000050.scp"])
def test_the_six_lead_recording_is_kept_with_its_limb_leads_alone(corpora: Path, name: str) -> None:
    clean = clean_ecg(vendor(corpora, name), SignalSettings())
    present = [lead for lead, there in zip(LEADS, clean.present, strict=True) if there]
    assert tuple(present) == LIMB_LEADS
    assert "limb_leads_inconsistent" not in dict(clean.warnings)


def test_philips_files_are_read_as_sierraecg_reads_them(corpora: Path) -> None:
    sierraecg = pytest.importorskip("sierraecg")
    folder = corpora / "vendor_formats/philips_sierra_xml"
    names = sorted(path.name for path in folder.glob("1_0*.[xX][mM][lL]"))
    assert len(names) == 5
    for name in names:
        recording = vendor(corpora, f"philips_sierra_xml/{name}")
        reference = sierraecg.read_file(str(folder / name))
        expected = np.stack([lead.samples for lead in reference.leads]) * 0.005
        assert recording.leads == tuple(lead.label for lead in reference.leads)
        np.testing.assert_allclose(recording.ecg, expected, atol=1e-6)
        assert clean_ecg(recording, SignalSettings()).present.all()


def test_muse_files_become_twelve_leads(corpora: Path) -> None:
    for number in range(1, 5):
        recording = vendor(corpora, f"ge_muse_xml/example{number}.xml")
        assert len(recording.leads) == 8
        clean = clean_ecg(recording, SignalSettings())
        assert clean.present.all()
        assert clean.warnings == []
        one, two, three, avr, avl, avf = clean.ecg[:6].astype(np.float64)
        np.testing.assert_allclose(three, two - one, atol=2)
        np.testing.assert_allclose(avr, -(one + two) / 2, atol=2)
        np.testing.assert_allclose(avl, one - two / 2, atol=2)
        np.testing.assert_allclose(avf, two - one / 2, atol=2)


def test_the_other_genuine_files_are_read(corpora: Path) -> None:
    for name in ("dicom/waveform_ecg.dcm", "scp_ecg/demo_8lead_1000Hz.scp"):
        recording = vendor(corpora, name)
        assert recording.sampling_rate_hz == 1000
        clean = clean_ecg(recording, SignalSettings())
        assert clean.present.all()
        assert clean.warnings == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("contec_edf_csv/0000050.ECG", "format_unknown"),
        ("contec_edf_csv/0000053.ECG", "format_unknown"),
        ("contec_edf_csv/0000050.ECG.csv", "file_missing"),
        ("matlab/ecgdeli_s0273lre_signal.mat", "file_missing"),
        ("philips_sierra_xml/invalid-doc-type.xml", "format_unsupported"),
        ("philips_sierra_xml/invalid-doc-version.xml", "format_unsupported"),
    ],
)
def test_what_cannot_be_read_is_refused_rightly(corpora: Path, name: str, code: str) -> None:
    with pytest.raises(RecordError) as caught:
        vendor(corpora, name)
    assert caught.value.code == code
