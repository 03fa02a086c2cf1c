"""Read Philips PageWriter / TraceMaster XML (Sierra ECG 1.03 and 1.04)."""

import base64
import binascii
import re
from functools import partial
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from data_modules.reading.formats.philips_xli import decode_xli
from data_modules.reading.formats.xml_tree import parse_xml, text_if_any, text_of
from data_modules.reading.lead_names import known_lead
from data_modules.reading.limits import check_extent, check_gain, check_rate
from data_modules.reading.reasons import RecordError
from data_modules.reading.recording import RawRecording, Warnings
from data_modules.reading.stated_numbers import invalid, number, wrong_size
from lsemvae.core.counted import counted
from lsemvae.core.leads import LEADS

_VERSIONS = ("1.03", "1.04", "1.04.01", "1.04.02")
_LIMB = LEADS[:6]
_MOST_CHANNELS = 16
_WHOLE = re.compile(r"[+-]?[0-9]{1,6}")
_TWELVE = ("STD-12", "10-WIRE")  # acquisition types whose channels are the leads in their order


def read_philips_xml(content: bytes, *, record: str) -> RawRecording:
    """Read the parsed waveforms of a Philips file.

    Args:
        content: the file.
        record: the record as the user names it.

    Raises:
        RecordError: another version or encoding, a damaged file, or one that states too little.
    """
    root, warnings = parse_xml(content, record=record)
    kind = text_of(root, "documentinfo/documenttype", record=record)
    version = text_of(root, "documentinfo/documentversion", record=record)
    if kind not in ("SierraECG", "PhilipsECG") or version not in _VERSIONS:
        problem = f"it is {kind[:40]} {version[:20]}; expected SierraECG {', '.join(_VERSIONS)}"
        raise RecordError("format_unsupported", record=record, problem=problem)
    details = root.findall(".//dataacquisition/signalcharacteristics")
    waveforms = root.findall(".//parsedwaveforms")
    if len(details) != 1 or len(waveforms) != 1:
        problem = (
            f"it has {len(details)} signalcharacteristics and {len(waveforms)} parsedwaveforms; "
            "expected one of each: export one ECG as one file"
        )
        raise RecordError("layout_unsupported", record=record, problem=problem)
    rate, names, scale = _layout(details[0], waveforms[0], record=record)
    duration = waveforms[0].get("durationperchannel") or ""
    milliseconds = number(duration, what="durationperchannel", record=record)
    n_samples = max(0, min(round(milliseconds * rate / 1000), 1 << 40))
    check_extent(len(names), n_samples, rate, record=record)
    leads = [i for i, name in enumerate(names) if known_lead(name)]
    method = _method(waveforms[0], record=record)
    compressed = method == "XLI"
    counts = _counts(waveforms[0], method, names, n_samples, record=record)
    return RawRecording(
        names=tuple(names[i] for i in leads),
        signals=_restore_limb_leads(counts, names, compressed, record=record)[leads] * scale,
        units=("uV",) * len(leads),
        sampling_rate_hz=rate,
        warnings=warnings + _invalid_channels(details[0], len(leads)),
        ignored=tuple(name for name in names if not known_lead(name)),
    )


def _invalid_channels(details: Element, n_leads: int) -> Warnings:
    """Tell that the file calls fewer channels valid than it has leads; it does not say which."""
    stated = (details.findtext("numberchannelsvalid") or "").strip()
    if not re.fullmatch(r"[0-9]{1,2}", stated) or int(stated) >= n_leads:
        return ()
    text = f"the file says that {int(stated)} channels are valid, and holds {n_leads} leads"
    return (("samples_filled", text),)


def _layout(
    details: Element, waveforms: Element, *, record: str
) -> tuple[float, tuple[str, ...], float]:
    """Return the rate in Hz, the leads' names and the microvolts for each count."""
    given = partial(text_if_any, details, record=record)
    text = text_of(details, "samplingrate", record=record)
    rate = check_rate(number(text, what="samplingrate", record=record), record=record)
    for name, theirs in (("samplespersecond", text), ("resolution", given("resolution"))):
        _compare(name, waveforms.get(name) or "", theirs, record=record)
    resolution = waveforms.get("resolution") or given("signalresolution")
    scale = number(resolution, what="the resolution", record=record)
    check_gain(1 / scale if scale > 0 else 0.0, record=record, text=f"{resolution} uV per count")
    states = {
        "bits per sample": (given("bitspersample"), "16"),
        "signed": (given("signalsigned"), "True"),
        "offset": (given("signaloffset"), "0"),
    }
    odd = {
        what: found
        for what, (found, wanted) in states.items()
        if found.removesuffix(".0").casefold() != wanted.casefold()
    }
    if odd:
        problem = f"its samples are {odd}; expected 16 bits, signed, offset 0"
        raise RecordError("format_unsupported", record=record, problem=problem)
    labels = re.split(r"[\s,;]+", (waveforms.get("leadlabels") or "").strip(" \t\r\n,;"))
    if labels[0]:
        n_leads = waveforms.get("numberofleads") or ""
        return rate, _first(labels, n_leads, record=record), scale
    if text_of(details, "acquisitiontype", record=record) not in _TWELVE:
        raise invalid("it does not name its leads", record=record)
    channels = text_of(details, "numberchannelsallocated", record=record)
    # a recorder of 16 channels writes them all, those behind the leads without a name
    spare = [f"channel {place}" for place in range(len(LEADS) + 1, _MOST_CHANNELS + 1)]
    return rate, _first([*LEADS, *spare], channels, record=record), scale


def _compare(name: str, own: str, theirs: str, *, record: str) -> None:
    """Refuse a number that the samples and the description of the signals state in two ways."""
    if not own or not theirs:
        return
    if number(own, what=name, record=record) != number(theirs, what=name, record=record):
        problem = f"its samples state {name} {own[:20]}, signalcharacteristics {theirs[:20]}"
        raise invalid(problem, record=record)


def _first(names: list[str], count: str, *, record: str) -> tuple[str, ...]:
    if not re.fullmatch(r"[0-9]{1,2}", count) or not 0 < int(count) <= len(names):
        raise invalid(f"it declares {count[:20]!r} leads and names {len(names)}", record=record)
    return tuple(names[: int(count)])


def _method(waveforms: Element, *, record: str) -> str:
    """Return how the samples are written: XLI, Uncompressed (both as base64) or Plain (numbers)."""
    packed = waveforms.get("compressmethod") or waveforms.get("compression") or "Uncompressed"
    encoding = waveforms.get("dataencoding") or "of no stated encoding"
    flag = (waveforms.get("compressflag") or "").casefold()
    if flag == "false" or packed.casefold() in ("uncompressed", "none"):
        packed = "Uncompressed"
    ways = {
        ("base64", "xli"): "XLI",
        ("base64", "uncompressed"): "Uncompressed",
        ("plain", "uncompressed"): "Plain",
    }
    way = ways.get((encoding.casefold(), packed.casefold()))
    if way is None:
        problem = (
            f"its samples are {encoding[:40]}, {packed[:40]}; expected Base64 with XLI or "
            "Uncompressed, or Plain with Uncompressed"
        )
        raise RecordError("format_unsupported", record=record, problem=problem)
    return way


def _counts(
    waveforms: Element, method: str, names: tuple[str, ...], n_samples: int, *, record: str
) -> npt.NDArray[np.int64]:
    """Decode the samples of the known leads, shape (L, n_samples); others may stay zero."""
    n_leads, text = len(names), waveforms.text or ""
    if method == "Plain":
        return _plain(text.split(), n_leads, n_samples, record=record)
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("the samples are no base64 text", record=record) from error
    if method == "XLI":
        wanted = [known_lead(name) is not None for name in names]
        return decode_xli(raw, wanted=wanted, n_samples=n_samples, record=record)
    if len(raw) != 2 * n_leads * n_samples:
        problem = f"it has {len(raw)} bytes for {counted(n_leads, 'lead')} of {n_samples} samples"
        raise wrong_size(problem, record=record)
    return np.frombuffer(raw, dtype="<i2").reshape(n_leads, n_samples).astype(np.int64)


def _plain(words: list[str], n_leads: int, n_samples: int, *, record: str) -> npt.NDArray[np.int64]:
    """Read samples that are written as numbers, lead after lead."""
    if len(words) != n_leads * n_samples:
        problem = (
            f"it has {len(words)} numbers for {counted(n_leads, 'lead')} of {n_samples} samples"
        )
        raise wrong_size(problem, record=record)
    odd = next((word for word in words if not _WHOLE.fullmatch(word)), None)
    if odd is not None:
        raise invalid(f"the samples hold {odd[:40]!r}; expected whole numbers", record=record)
    return np.array(words, dtype=np.int64).reshape(n_leads, n_samples)


def _restore_limb_leads(
    counts: npt.NDArray[np.int64], names: tuple[str, ...], compressed: bool, *, record: str
) -> npt.NDArray[np.int64]:
    """Undo the differences to what I and II predict, as which four limb leads are stored.

    Programs that write the samples out uncompressed write some the leads themselves and others
    still the differences; only leads themselves keep Einthoven's law.
    """
    known = tuple(map(known_lead, names))
    if not set(_LIMB) <= set(known):
        return counts
    limb = counts[[known.index(lead) for lead in _LIMB]]
    if not compressed and _are_leads(limb[2:], limb[:2]):
        return counts
    if known[:6] != _LIMB:
        problem = (
            f"its limb leads are in the order {', '.join(names[:6])[:80]}; expected "
            f"{', '.join(_LIMB)} first, by whose places four of them are stored as differences; "
            "export it as DICOM or HL7 aECG"
        )
        raise RecordError("layout_unsupported", record=record, problem=problem)
    restored = counts.copy()
    one, two = counts[0], counts[1]
    restored[2] = three = two - one - counts[2]
    restored[3] = -((one + two) // 2) - counts[3]
    restored[4] = (one - three) // 2 - counts[4]
    restored[5] = (two + three) // 2 - counts[5]
    return restored


def _are_leads(stored: npt.NDArray[np.int64], one_two: npt.NDArray[np.int64]) -> bool:
    """Say whether III, aVR, aVL and aVF lie near what I and II predict; differences lie near 0."""
    one, two = one_two
    predicted = np.stack([two - one, -(one + two) / 2, one - two / 2, two - one / 2])
    return bool(np.abs(stored - predicted).mean() <= np.abs(stored).mean() / 2)
