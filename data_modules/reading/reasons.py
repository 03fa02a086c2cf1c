"""List the reasons why a recording is rejected or doubtful: a code and a remedy for each."""

from lsemvae.core.errors import InputError
from lsemvae.core.extras import install_extra

REASONS = {
    "path_unsafe": "the record's path leaves the source folder, is absolute, a URL or unprintable",
    "file_missing": "the file, its header, a signal file or its layout does not exist",
    "file_not_regular": "the header or a signal file is a folder, pipe or device",
    "file_limit": "a file is larger than the readers accept",
    "format_unknown": "the file is of no kind that the readers know",
    "format_unsupported": "the kind of file is known, but not this version or encoding of it",
    "file_invalid": "the file breaks the rules of its kind or lacks a field that must be stated",
    "reader_missing": "reading this kind of file needs an extra package: "
    f"{install_extra('readers')}",
    "header_invalid": "the header breaks the WFDB syntax or names another record",
    "header_limit": "the file declares more than the readers accept (size, signals, samples, "
    "duration)",
    "length_missing": "the file does not state the number of samples",
    "multi_segment": "the record is a list of segments; name the segments instead",
    "layout_unsupported": "several samples per frame, several parts of which none is the one with "
    "all leads, or a sample format or layout that the reader does not know",
    "rate_invalid": "the sampling rate is missing, not a number or implausible",
    "gain_invalid": "a lead's gain is missing, not a number, or not above zero",
    "unit_unknown": "a lead's unit is missing or is none of mV, uV and V",
    "size_mismatch": "a signal file is shorter or longer than its header declares",
    "checksum_mismatch": "the samples are not the ones that the header was written for",
    "no_beat": "no whole heartbeat was found, where median beats are asked for",
    "unreadable": "the file cannot be read, or the wfdb library cannot decode its samples",
    "no_known_lead": "no signal carries the name of one of the twelve leads",
    "duplicate_lead": "two signals carry the name of the same lead",
    "too_short": "the recording is shorter than the shortest that the settings accept",
    "no_usable_lead": "every lead is missing, flat, saturated, gapped or out of range",
    "few_leads": "fewer leads are usable than the settings ask for",
    "subject_mismatch": "the header names another subject than the table",
    "lead_missing": "the file holds no such lead",
    "lead_gap": "samples are missing for longer than the settings interpolate",
    "lead_flat": "the lead does not move, as with a lost electrode",
    "lead_saturated": "the lead stays at the end of the amplifier's range",
    "lead_out_of_range": "the filtered lead exceeds what a heart gives: wrong unit or artefact",
    "cut_to_length": "the recording was longer than the store's; what came after was left out",
    "resampled": "the recording has another sampling rate than the store",
    "gap_interpolated": "a short gap was bridged by a straight line",
    "ends_left_out": "no lead has samples there, or all have the device's pulse: the recording is "
    "as much shorter",
    "padded": "the recording was shorter than the store's and ends in zeros",
    "limb_leads_derived": "limb leads were computed from the others (Einthoven, Goldberger)",
    "signals_ignored": "the file holds signals beside the twelve leads; they were left out",
    "unit_assumed": "leads state no unit and were taken as mV, because amplitude is default_mv",
    "samples_cut": "the file holds fewer samples than it declares, cut at what its kind can hold",
    "checksum_missing": "the file carries no checksum, so damage would go unnoticed",
    "encoding_assumed": "the file is not in the encoding that it states; it was read as what its "
    "bytes are, and names in it may be wrong",
    "limb_leads_inconsistent": "the limb leads break Einthoven's and Goldberger's relations: "
    "leads swapped, inverted, or scaled one by one",
    "leads_scaled_separately": "all leads have one peak-to-peak amplitude, so each was scaled by "
    "itself and the unit in the header is not true",
    "gain_doubtful": "the amplitudes are far from those of the other recordings, as with a wrong "
    "gain or unit",
    "samples_filled": "samples stand still for longer than in any heart: missing ones were filled, "
    "or an electrode was off",
    "leads_identical": "two leads hold the same samples, so one of them is a copy",
    "lead_clipped": "the peaks of a lead are cut off at one value, as at the end of a converter's "
    "range",
    "spikes": "single samples stand far from their neighbours: pacing pulses, or faults of a "
    "transfer",
    "leads_in_turn": "the leads hold a signal one after the other, not at the same time",
    "rate_doubtful": "the heart's rate does not go with the width of its complexes, or with the "
    "table, as with a wrong sampling rate",
    "arm_leads_doubtful": "lead I runs against V5 and V6, as with exchanged arm electrodes or a "
    "heart on the right",
    "signal_repeated": "the same signal stands under another patient as well",
    "signal_alike": "nearly the same signal stands under another patient as well",
    "program_fault": "the program failed on this recording in a way that was not foreseen",
}
"""Every reason code and what it means."""

_COPY_AGAIN = "compare it with the source's own file: copy it again where they differ"
LOOK = "look at it with `lsemvae view`"
_MASKED = "nothing: the lead is masked; `--signal.bad_leads reject` refuses all such"

REMEDIES = {
    "path_unsafe": "name records below the source folder, in UTF-8, and copy linked files into it",
    "file_missing": "copy the missing file, write the layout that the message names, or correct "
    "the name in the table",
    "file_not_regular": "replace it by the file itself",
    "file_limit": "cut the recording, or export the ECG alone",
    "format_unknown": "export it as one of the kinds above; name WFDB records without extension",
    "format_unsupported": "export it in a version and encoding that the message names",
    "file_invalid": "correct what the message names, or export another kind of file",
    "reader_missing": "install the package that the message names and start again",
    "header_invalid": "correct the line that the message names; never rename a header without its "
    "first line",
    "header_limit": "cut the recording to the part that you need",
    "length_missing": "WFDB: write the number of samples behind the rate in the header's first "
    "line; else save it again in the program that recorded it",
    "multi_segment": "list its segments in the table instead",
    "layout_unsupported": "export all leads as one part; resample all signals to one rate, or "
    "write them in WFDB's format 16",
    "rate_invalid": "ask the source for the rate, and correct the file",
    "gain_invalid": "ask the source for the gain, and correct the file",
    "unit_unknown": "ask the source for the unit; see `--amplitude`",
    "size_mismatch": f"{_COPY_AGAIN}, else correct what the file declares",
    "checksum_mismatch": f"{_COPY_AGAIN}, else do not use it",
    "no_beat": f"{LOOK}; leave it out if it holds no heartbeat",
    "unreadable": f"check the rights and the disk, then {_COPY_AGAIN}",
    "no_known_lead": "rename the signals if they are ECG leads; else nothing",
    "duplicate_lead": "find out which signal is the lead, and rename or remove the other",
    "too_short": "nothing, or lower `--signal.min_duration_s`",
    "no_usable_lead": f"{LOOK}; leave it out",
    "few_leads": "nothing, or lower `--signal.min_leads`: 1 takes recordings of a single lead",
    "subject_mismatch": "find out whose it is, and correct the table or the header",
    "lead_missing": _MASKED,
    "lead_gap": _MASKED,
    "lead_flat": _MASKED,
    "lead_saturated": _MASKED,
    "lead_out_of_range": f"{_MASKED}; where many leads are concerned, {LOOK}, and "
    "check gain and unit",
    "cut_to_length": "nothing, or raise `--signal.duration_s`, or cut it at another place",
    "resampled": "nothing, or give the rate with `--signal.sampling_rate_hz`",
    "gap_interpolated": "nothing, or `--signal.max_gap_s 0`",
    "ends_left_out": "nothing; compare it with the source's own file if many recordings have it",
    "padded": "nothing, or raise `--signal.min_duration_s`",
    "limb_leads_derived": "nothing",
    "signals_ignored": "nothing, unless the message lists a lead under a strange name: rename it",
    "unit_assumed": "make sure that the amplitudes are those of a heart",
    "samples_cut": "nothing where the seconds kept are enough; else export as another kind",
    "checksum_missing": "compare the files with the source's own list of digests, if it has one",
    "encoding_assumed": "nothing for the signals; else correct the encoding in the file's first "
    "line, or convert the file with iconv",
    "limb_leads_inconsistent": f"{LOOK}; correct the leads' names, or leave it out",
    "leads_scaled_separately": "convert the whole set with `--amplitude arbitrary`",
    "gain_doubtful": f"compare the header's gain with its source, and {LOOK}",
    "samples_filled": f"{LOOK}; leave it out if the part that is left is too short",
    "leads_identical": "compare it with the source's own file; correct the lead that is a copy",
    "lead_clipped": f"{LOOK}; export it with a wider range if the source has it",
    "spikes": "nothing for a pacemaker; else compare it with the source's own file",
    "leads_in_turn": "export 10 s of all leads at the same time",
    "rate_doubtful": f"compare the sampling rate with its source, and {LOOK}",
    "arm_leads_doubtful": f"{LOOK}; leave it out, or mend names and signs of the leads, if the "
    "electrodes were exchanged",
    "signal_alike": "find out whether it is an altered copy, and whose; leave out the other with "
    "`--exclude`, or give both one patient with `--same_patient`",
    "signal_repeated": "find out whose it is, and leave out the other with `--exclude`, or give "
    "both one patient with `--same_patient`",
    "program_fault": "report it with the message; the other recordings are not affected",
}
"""What to do about each reason code."""

SKIPPED = frozenset({"no_known_lead", "too_short"})
"""Codes of recordings that are sound but not what the store is for; other rejections are faults."""

NOTES = frozenset({"cut_to_length", "resampled"})
"""Codes of what the settings do to sound recordings: told, but no warning."""


class RecordError(InputError):
    """Reject one recording; the run over the others goes on.

    Args:
        code: a key of `REASONS`.
        record: the record as the table names it.
        problem: what was found, what was expected and what to do.
    """

    def __init__(self, code: str, *, record: str, problem: str) -> None:
        if code not in REASONS:
            raise KeyError(code)
        super().__init__(f"record {record}: {problem}")
        self.code = code
        self.record = record
        self.problem = problem

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.code, self.record, self.problem)


def _rebuild(code: str, record: str, problem: str) -> RecordError:
    """Restore a `RecordError` that crossed a process border."""
    return RecordError(code, record=record, problem=problem)
