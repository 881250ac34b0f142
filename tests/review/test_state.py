"""What the lines of a log say about a video, added up."""

from typing import Any

import pytest
from dashredact.review.state import Opinion, ReviewState, review_states

_SOURCE = {"name": "a.mp4", "sha256": "5" * 64}


def _line(act: str, output: str = "1", **more: Any) -> dict[str, Any]:
    return {"act": act, "source": _SOURCE, "output": {"name": "a.masked.mp4", "sha256": output * 64}, **more}


def _mark(number: int, **more: Any) -> dict[str, Any]:
    row = {"id": number, "kind": "face", "first": 2, "end": 6, "keys": [[2, 10, 10, 20, 20]], "how": "still"}
    return _line("marked", mark={**row, **more})


def _lift(number: int) -> dict[str, Any]:
    return _line("lifted", lift={"id": number})


def _undo(number: int) -> dict[str, Any]:
    return _line("undone", undo={"track": number})


def _corrected(output: str, marks: list[int], lifts: list[int]) -> dict[str, Any]:
    return _line("corrected", output, corrections={"marks": marks, "lifts": lifts})


def _reviewed(output: str, verdict: str) -> dict[str, Any]:
    return _line("reviewed", output, verdict=verdict)


def _now(*lines: dict[str, Any]) -> ReviewState:
    return review_states([_line("masked"), *lines])["a.mp4"]


@pytest.mark.parametrize(
    ("lines", "waiting"),
    [
        ([], 0),
        ([_mark(1)], 1),
        ([_mark(1), _lift(7)], 2),
        ([_mark(1), _undo(1)], 0),
        ([_mark(1), _corrected("2", [1], [])], 0),
        ([_mark(1), _corrected("2", [1], []), _undo(1)], 1),
        ([_mark(1), _corrected("2", [1], []), _undo(1), _corrected("3", [], [])], 0),
        ([_lift(7), _corrected("2", [], [7]), _undo(7)], 1),
        ([_lift(7), _corrected("2", [], [7]), _undo(7), _lift(7)], 0),
        ([_mark(1), _corrected("2", [1], []), _line("masked", "4")], 1),
        ([_lift(7), _corrected("2", [], [7]), _line("masked", "4")], 0),
        ([_mark(1), _line("masked", "4", source={**_SOURCE, "sha256": "6" * 64})], 0),
        ([_mark(1), _line("failed", output="0") | {"output": None}], 1),
    ],
)
def test_what_waits(lines: list[dict[str, Any]], waiting: int) -> None:
    standing = _now(*lines)
    assert standing.waiting == waiting
    assert standing.is_open


@pytest.mark.parametrize(
    ("lines", "opinion", "state"),
    [
        ([], None, "masked, not reviewed"),
        ([_reviewed("1", "approved")], Opinion.APPROVED, "approved"),
        ([_reviewed("1", "rejected")], Opinion.REJECTED, "rejected"),
        ([_reviewed("1", "rejected"), _reviewed("1", "approved")], Opinion.APPROVED, "approved"),
        ([_reviewed("9", "approved")], None, "masked, not reviewed"),
        ([_reviewed("1", "approved"), _line("masked", "2")], None, "masked, not reviewed"),
        ([_reviewed("1", "approved"), _mark(1)], Opinion.APPROVED, "to be applied"),
        ([_reviewed("1", "approved"), _mark(1), _corrected("2", [1], [])], None, "corrected"),
        ([_line("reviewed")], None, "masked, not reviewed"),
    ],
)
def test_opinion_is_about_one_output(lines: list[dict[str, Any]], opinion: Opinion | None, state: str) -> None:
    standing = _now(*lines)
    assert (standing.opinion, standing.state) == (opinion, state)
    assert standing.is_open == (opinion is None or state == "to be applied")


def test_only_videos_with_an_output_stand_anywhere() -> None:
    lines = [_line("failed") | {"output": None}, _mark(1), {"act": "exported"}, {"act": "purged", "source": None}]
    assert review_states(lines) == {}
