"""The flow diagram: every count is in it, and no text leaves its box."""

import re
from xml.etree import ElementTree as ET

import pytest

from lsemvae.evaluation.flow_diagram import Box, flow_diagram, text_width, wrapped

SVG = "{http://www.w3.org/2000/svg}"
FILES = [Box("files of the folder", ["n = 900"]),
         Box("files that state patient & date", ["n = 875"],
             ["17 no date of acquisition in it, or a default", "8 no patient <id>"])]  # fmt: skip
ROWS = [Box("rows of the table", ["n = 807"]), Box("rows", ["n = 689"], ["118 no file"])]
TRUNK = [Box("linked", ["n = 689"]), Box("cohort", ["n = 632"], ["57 paced rhythm"])]


@pytest.fixture(scope="module")
def picture() -> ET.Element:
    return ET.fromstring(flow_diagram([FILES, ROWS], TRUNK, "Flow of A & B"))


def rectangles(picture: ET.Element) -> list[tuple[float, float, float, float]]:
    """Return left, top, right, bottom of every box."""
    found = [{name: float(one.get(name, "nan")) for name in ("x", "y", "width", "height")}
             for one in picture.iter(f"{SVG}rect")]  # fmt: skip
    return [(b["x"], b["y"], b["x"] + b["width"], b["y"] + b["height"]) for b in found]


def test_every_count_and_reason_can_be_read(picture: ET.Element) -> None:
    said = " ".join(line.text or "" for line in picture.iter(f"{SVG}text"))
    for box in [*FILES, *ROWS, *TRUNK]:
        assert all(text in said for text in (box.text, *box.counts, *box.left_out))


def test_a_warning_stands_above_the_boxes_and_inside_the_picture() -> None:
    drawn = ET.fromstring(flow_diagram([], TRUNK, "Flow", "SYNTHETIC data"))
    left, top, *_ = map(float, drawn.get("viewBox", "").split())
    line = next(one for one in drawn.iter(f"{SVG}text") if one.text == "SYNTHETIC data")
    assert top + 12 < float(line.get("y", "nan")) < min(box[1] for box in rectangles(drawn))
    assert left < float(line.get("x", "nan"))


def test_boxes_do_not_overlap_and_none_leaves_the_width_of_a_phone(picture: ET.Element) -> None:
    boxes = rectangles(picture)
    assert len(boxes) == 9
    assert min(left for left, *_ in boxes) >= 0
    assert max(right for _, _, right, _ in boxes) <= 390
    for number, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def test_each_line_lies_inside_a_box(picture: ET.Element) -> None:
    boxes = rectangles(picture)
    for line in picture.iter(f"{SVG}text"):
        x, y = float(line.get("x", "nan")), float(line.get("y", "nan"))
        right = x + text_width(line.text or "", bold=line.get("font-weight") == "bold")
        assert any(box[0] < x and right < box[2] and box[1] < y < box[3] for box in boxes)


def test_both_arms_lead_to_the_first_box_of_the_trunk(picture: ET.Element) -> None:
    linked = rectangles(picture)[6]  # two files, their side box, two rows, theirs, then the trunk
    ends = [re.findall(r"[-\d.]+", path.get("d", "")) for path in picture.iter(f"{SVG}path")]
    heights = [float(numbers[-1]) for numbers in ends]
    assert linked[1] in heights  # from above
    detours = [numbers for numbers in ends if len(numbers) == 5]  # M x y H x V y H x
    assert [float(one[3]) for one in detours] == [(linked[1] + linked[3]) / 2]


def test_lines_break_at_blanks_and_lose_no_word() -> None:
    text = (
        "a recording that was left out for reasons of Donaudampfschifffahrtsgesellschaftskapitaen"
    )
    lines = wrapped(text, 90)
    assert " ".join(lines) == text
    assert all(text_width(line) <= 90 or " " not in line for line in lines)
