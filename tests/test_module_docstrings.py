"""Hold every module's first sentence to the form: a plain imperative."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
ROOMS = ("benchmarks", "data_modules", "docker", "docs", "lsemvae")

# Verbs that a module may begin with, in their base form. Add the one that you miss.
VERBS = """
Accept Act Add Align Anneal Answer Apply Ask Assign Average Begin Bootstrap Bound Bring Build Call
Carry
Change Check Choose Clean Collect Combine Compare Compute Convert Copy Count Create Cross-validate
Cut Damage Deal Decode Define Delete Derive Describe Detect Divide Draw Encode End Estimate Evaluate
Explain Export Extract Filter Find Fit Follow Format Fuse Fuzz Gather Give Group Guard Handle
Hash Hold Import Index Join Judge Keep Kill Label Lay Learn Let List Load Lock Log Look Make Map
Mark Match Measure Mend Merge Move Name Normalise Note Offer Open Order Pack Pair Parse Plan Pool
Pre-train Predict Prepare Print Probe Produce Protect Prove Put Quantise Rank Read Recalibrate
Record Refuse Remove Rename Render Repeat Replace Report Resample Resolve Return Run Save Say
Scale Score Seal Search Select Send Serve Set Settle Share Show Shuffle Sign Silence Simulate Sort
Spell Split Start State Stop Store Suggest Sum Summarise Tabulate Take Tell Test Time Trace Train
Translate Try Turn Unpack Update Use Validate Verify View Walk Warn Watch Weigh Wrap Write
"""


def _first_sentence(source: str) -> str:
    """Return the first line of a module's docstring; empty where there is none."""
    return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]


def _is_plain_imperative(sentence: str) -> bool:
    """Say whether a sentence begins with a known verb and ends as a sentence does."""
    first_word = sentence.split(" ", maxsplit=1)[0].rstrip(",")
    return first_word in VERBS.split() and sentence.endswith(".")


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_says_what_it_does_in_one_plain_imperative_sentence(room: str) -> None:
    sentences = {
        path.relative_to(REPOSITORY).as_posix(): _first_sentence(path.read_text(encoding="utf-8"))
        for path in sorted((REPOSITORY / room).rglob("*.py"))
    }
    assert sentences
    assert {
        name: sentence for name, sentence in sentences.items() if not _is_plain_imperative(sentence)
    } == {}


@pytest.mark.parametrize(
    "riddle",
    [
        "What every network promises.",
        "The lock of a store.",
        "A recording as read.",
        "Where is it written?",
        "`lsemvae cv`: cross-validate a method.",
        "Cleaning: order, faults, length.",
        "Numbers of a summary.",
        "Read a file",
        "",
    ],
)
def test_a_riddle_is_no_plain_imperative(riddle: str) -> None:
    assert not _is_plain_imperative(riddle)
