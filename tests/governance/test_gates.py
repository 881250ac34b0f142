"""The gates do exactly what the tables of docs/policy.md say: every combination is tried."""

import itertools
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from policies import DOCS, FULL, changed, policy

from dashredact.governance.policy.gates import Export, Gate, Use, camera_of, refusals, to_review
from dashredact.governance.policy.words import Facing
from dashredact.kinds import Kind

_START = FULL["notice"]["start"]
_NAMES = [("camera faces", "filmed", "filmed for", "used for", "--basis")]
_NAMES += [("masked", "--reason", "in the share to review", "reviewed by", "second_person")]
_CAMERAS = [*map(str, Facing), "none fits"]
_DAYS = {"before start": _START - timedelta(1), "start": _START, "later": _START + timedelta(400), "unknown": None}
_CAPTURED_FOR = ["security", "evidence", "road-map"]
_MASKED = {"face": {Kind.FACE}, "plate": {Kind.PLATE}, "nothing": set(), "both": {Kind.FACE, Kind.PLATE}}


def _tables() -> Iterator[list[dict[str, str]]]:
    """Rows of the two tables of refusals, by column."""
    section = DOCS.read_text("utf-8").partition("## Gates")[2].partition("\n## ")[0]
    for text in re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE):
        head, _, *rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in text.splitlines()]
        yield [dict(zip(head, row, strict=True)) for row in rows]


_USE, _OUT = _tables()


def _documented(table: list[dict[str, str]], case: dict[str, str]) -> set[str]:
    """Codes of the rows that apply."""
    return {
        row["code"]
        for row in table
        if all(row[key] == "-" or value in row[key].split(", ") for key, value in case.items())
    }


def _codes(use: Use, content: Any = FULL) -> set[str]:
    found = refusals(policy(content), use)
    assert all(refusal.reason and refusal.way_out for refusal in found)
    return {str(refusal.gate) for refusal in found}


def test_the_tables_hold_every_gate_and_the_columns_that_are_tried() -> None:
    assert {row["code"] for row in [*_USE, *_OUT]} == set(map(str, Gate))
    assert [tuple(row)[1:-1] for row in (_USE[0], _OUT[0])] == _NAMES


@pytest.mark.parametrize("captured_for", _CAPTURED_FOR)
@pytest.mark.parametrize("facing", _CAMERAS)
def test_camera_purpose_date_and_basis(facing: str, captured_for: str) -> None:
    content = changed(("cameras", 0, "purpose"), captured_for)
    content["cameras"][0]["facing"] = facing if facing != "none fits" else "outward"
    content["purposes"].append(content["purposes"][0] | {"id": "security"})
    camera = camera_of(policy(content), "other.mp4" if facing == "none fits" else "sub/front-1.mp4")
    others = {"same": captured_for, "another": "evidence" if captured_for != "evidence" else "road-map"}
    purposes = others | {"unpublished": "sale", "none given": ""}
    for day, used_for, basis in itertools.product(_DAYS, purposes, ["", "  ", "consent 2026-1"]):
        use = Use(camera, _DAYS[day], purposes[used_for], basis=basis)
        told = "given" if basis.strip() else "none"
        case = dict(zip(_NAMES[0], (facing, day, captured_for, used_for, told), strict=True))
        assert _codes(use, content) == _documented(_USE, case), case


@pytest.mark.parametrize("second_person", [True, False])
@pytest.mark.parametrize("share", [0, 1])
def test_masked_kinds_reason_and_review(share: int, second_person: bool) -> None:
    content = changed(("review",), {"share": share, "second_person": second_person})
    camera = camera_of(policy(content), "front-1.mp4")
    people = {"nobody": "", "who masked it": "ann", "another": "bob", "masking": None}
    for masked, reason, by in itertools.product(_MASKED, ["", "insurer asks for plates"], people):
        person = people[by]
        export = None if person is None else Export("0" * 64, "ann", person)
        use = Use(camera, _START, "evidence", frozenset(_MASKED[masked]), reason=reason, export=export)
        asked = "yes" if share and export else "no"
        told = (masked, "given" if reason else "none", asked, by, str(second_person).lower())
        case = dict(zip(_NAMES[1], told, strict=True))
        assert _codes(use, content) == _documented(_OUT, case), case


def test_a_use_within_the_policy_is_accepted() -> None:
    read = policy()
    use = Use(camera_of(read, "front-1.mp4"), _START, "evidence", export=Export("f" * 64, "ann", "bob"))
    assert refusals(read, use) == ()


def test_refusals_come_in_the_order_of_the_gates() -> None:
    read = policy()
    use = Use(camera_of(read, "cabin-1.mp4"), date(2020, 1, 1), "sale", frozenset(), export=Export("0" * 64, "ann"))
    gates = [refusal.gate for refusal in refusals(read, use)]
    assert gates == [gate for gate in Gate if gate in gates] and len(gates) == 6


def test_the_first_camera_that_fits_counts_capitals_and_all() -> None:
    content = changed(("cameras", 1, "files"), "*")
    read = policy(content)
    assert [
        read.cameras.index(found)
        for name in ("front-1.mp4", "a/b/front-1.mp4", "Front-1.mp4", "front-1.mp4/x")
        if (found := camera_of(read, name))
    ] == [0, 0, 1, 1]


def test_the_share_to_review_is_about_kept_and_always_the_same() -> None:
    read = policy(changed(("review", "share"), 0.25))
    digests = [f"{number * 2654435761 % (1 << 32):08x}" + "0" * 56 for number in range(4000)]
    picked = [to_review(read, digest) for digest in digests]
    assert 900 < sum(picked) < 1100
    assert picked == [to_review(read, digest) for digest in digests]
