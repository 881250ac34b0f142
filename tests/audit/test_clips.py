"""How videos stand by the lines of a log."""

from typing import Any

import pytest
from log_lines import (
    PURGED,
    SOURCE,
    SOURCE_PURGED,
    clip,
    clips,
    corrected,
    duplicate,
    exported,
    failed,
    file,
    made,
    mark,
    reviewed,
    undo,
    unmask,
)

from dashredact.audit.corrections import Corrections
from dashredact.audit.events import EventType, ReviewVerdict

_OTHER = {**SOURCE, "sha256": "e" * 64}


def _digit(line: Any) -> str:
    return str(line.sha256[-1])


# --- results ----------------------------------------------------------------------------------------------------------


def test_the_newest_version_is_the_clip() -> None:
    now = clip(made(1), failed(), corrected(2, 1), exported(2))
    assert now.output and _digit(now.output) == "2"
    assert now.result and now.result.seq == 3 and now.masking.type == EventType.MASKED
    assert [event.seq for event in now.events] == [1, 2, 3, 4]


def test_a_failure_hides_no_earlier_result_and_both_are_told() -> None:
    now = clip(made(1), failed())
    assert (now.tried.type, now.result and now.result.type) == (EventType.FAILED, EventType.MASKED)
    assert now.output


def test_a_clip_that_never_came_out_is_one_all_the_same() -> None:
    now = clip(failed())
    assert (now.output, now.result, now.purged, now.source.sha256) == (None, None, False, "c" * 64)


def test_a_withheld_clip_is_still_masked() -> None:
    now = clip(made(1), {"act": "withheld", "source": SOURCE, "output": file(1), "recipient": "R"})
    assert now.tried.type == EventType.MASKED


def test_only_sources_that_were_tried_are_clips() -> None:
    assert len(clips(mark(1), exported(1), {"act": "held", "source": SOURCE}, PURGED)) == 0


@pytest.mark.parametrize(
    ("lines", "purged"),
    [([made(1), PURGED], True), ([made(1), PURGED, made(2)], False), ([made(1), SOURCE_PURGED], False)],
)
def test_what_was_purged_is_no_output_until_it_is_made_again(lines: list[dict[str, Any]], purged: bool) -> None:
    now = clip(*lines)
    assert now.purged is purged and (now.output is None) is purged


def test_a_source_is_erased_until_it_is_tried_again() -> None:
    assert clip(made(1), SOURCE_PURGED).erased
    assert not clip(made(1), PURGED).erased
    assert not clip(made(1), SOURCE_PURGED, failed()).erased, "somebody brought it again"


# --- duplicates -------------------------------------------------------------------------------------------------------


def test_a_duplicate_has_the_file_as_corrections_left_it_and_what_people_said_of_it() -> None:
    lines = [made(1), duplicate(1), mark(1), corrected(2, 1, marks=(1,)), reviewed(2), mark(2)]
    now = clip(*lines, name="b.mp4")
    assert now.output and _digit(now.output) == "2"
    assert now.result and now.result.output == now.output
    assert now.verdict is ReviewVerdict.APPROVED and now.corrections.waiting == 1 and now.waits_for_review
    assert clips(*lines).masked_of(now).name == "a.mp4"
    assert [one.name for one in clips(*lines).masked()] == ["a.mp4"]


def test_a_review_before_a_duplicate_came_counts_for_it_too() -> None:
    assert clip(made(1), reviewed(1), duplicate(1), name="b.mp4").verdict is ReviewVerdict.APPROVED


def test_a_duplicate_of_what_gave_a_doubt_has_it_too() -> None:
    assert clip(made(1, "needs review"), duplicate(1), name="b.mp4").review_required


def test_a_duplicate_has_no_output_once_another_content_has_its_name() -> None:
    """The file of that name shows another video."""
    now = clip(made(1), duplicate(1), made(2, source=_OTHER), name="b.mp4")
    assert (now.output, now.purged) == (None, False)
    assert clip(made(1), duplicate(1), made(2), name="b.mp4").output, "the same content, masked again"


def test_a_duplicate_whose_file_was_made_again_after_a_purge_has_it() -> None:
    assert clip(made(1), duplicate(1), PURGED, name="b.mp4").purged
    assert clip(made(1), duplicate(1), PURGED, made(2), name="b.mp4").output


# --- corrections ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "waiting"),
    [
        ([], 0),
        ([mark(1)], 1),
        ([mark(1), unmask(7)], 2),
        ([mark(1), undo(1)], 0),
        ([mark(1), corrected(2, 1, (1,))], 0),
        ([mark(1), corrected(2, 1, (1,)), undo(1)], 1),
        ([mark(1), corrected(2, 1, (1,)), undo(1), corrected(3, 2)], 0),
        ([unmask(7), corrected(2, 1, (), (7,)), undo(7)], 1),
        ([unmask(7), corrected(2, 1, (), (7,)), undo(7), unmask(7)], 0),
        ([mark(1), corrected(2, 1, (1,)), made(4)], 1),
        ([unmask(7), corrected(2, 1, (), (7,)), made(4)], 0),
        ([mark(1), made(4, source=_OTHER)], 0),
        ([mark(1), failed()], 1),
        ([mark(1), PURGED, made(4)], 1),
    ],
)
def test_corrections_that_wait(lines: list[dict[str, Any]], waiting: int) -> None:
    now = clip(made(1), *lines)
    assert now.corrections.waiting == waiting
    assert now.waits_for_review


def test_numbers_of_marks_are_never_given_twice() -> None:
    assert clip(made(1), mark(1), undo(1)).corrections.marks_drawn == 1
    assert clip(made(1), mark(1), made(2, source=_OTHER)).corrections.marks_drawn == 1


def test_what_is_about_no_masked_file_changes_nothing() -> None:
    assert clip(mark(1), failed()).corrections == Corrections()


def _looked(*finds: dict[str, Any]) -> dict[str, Any]:
    return {"second_look": {"ran": True, "finds": list(finds)}}


def test_the_newest_second_look_over_this_masking_counts() -> None:
    find = {"kind": "face", "frame": 1, "time": 0.1, "box": [0, 0, 9, 9], "score": 0.5, "first": 1, "last": 1}
    now = clip(made(1, **_looked(find)), corrected(2, 1) | {"second_look": {"ran": False}})
    assert now.file and now.file.second_look and now.file.second_look.finds
    again = clip(made(1, **_looked(find)), made(2))
    assert again.file and again.file.second_look is None, "none has run over it"


# --- reviews ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ([], None),
        ([reviewed(1)], ReviewVerdict.APPROVED),
        ([reviewed(1, "rejected")], ReviewVerdict.REJECTED),
        ([reviewed(1, "rejected"), reviewed(1)], ReviewVerdict.APPROVED),
        ([reviewed(9)], None),
        ([reviewed(1), made(2)], None),
        ([reviewed(1), made(1)], None),
        ([reviewed(1), mark(1)], ReviewVerdict.APPROVED),
        ([reviewed(1), mark(1), corrected(2, 1, (1,))], None),
        ([reviewed(1, "")], None),
        ([reviewed(1), reviewed(1, "")], None),
        ([reviewed(1, source=None)], ReviewVerdict.APPROVED),
        ([reviewed(1, output=None)], None),
    ],
)
def test_a_verdict_is_about_one_version(lines: list[dict[str, Any]], verdict: ReviewVerdict | None) -> None:
    now = clip(made(1), *lines)
    assert now.verdict == verdict
    assert str(now.approved_by or "") == ("r" if verdict is ReviewVerdict.APPROVED else "")


@pytest.mark.parametrize(
    ("lines", "required"),
    [
        ([made(1)], False),
        ([made(1, "needs review")], True),
        ([made(1, "needs review"), reviewed(1)], False),
        ([made(1, "needs review"), reviewed(1, output=None)], False),
        ([made(1, "needs review"), reviewed(1, "rejected", output=None)], True),
        ([reviewed(1, output=None), made(1, "needs review")], True),
        ([made(1, "needs review"), reviewed(1), PURGED], False),
        ([made(1), reviewed(1, "rejected")], True),
        ([made(1), reviewed(1), mark(1)], True),
        ([made(1), mark(1), corrected(2, 1, (1,))], False),
        ([made(1, "needs review"), failed()], True),
    ],
)
def test_what_a_person_has_to_settle_before_the_source_may_go(lines: list[dict[str, Any]], required: bool) -> None:
    assert clip(*lines).review_required is required


def test_only_what_is_approved_as_people_want_it_waits_for_nobody() -> None:
    assert not clip(made(1), reviewed(1)).waits_for_review
    assert clip(made(1), reviewed(1, "rejected")).waits_for_review
    assert clip(made(1), reviewed(1), mark(1)).waits_for_review
    assert clip(made(1), reviewed(1, output=None)).waits_for_review, "nobody said which file they saw"
    assert not clip(made(1), PURGED).waits_for_review
    assert not clip(failed()).waits_for_review


# --- sources ----------------------------------------------------------------------------------------------------------


def test_where_the_source_lies() -> None:
    moved = {"act": "quarantined", "source": SOURCE, "moved_to": ".quarantine/a.mp4"}
    retried = {"act": "retried", "source": SOURCE}
    assert (clip(failed(), moved).location, clip(failed(), moved).quarantined) == (".quarantine/a.mp4", True)
    for later in (retried, failed(), made(1)):
        now = clip(failed(), moved, later)
        assert (now.location, now.quarantined) == ("a.mp4", False)


def test_a_sealed_copy_is_of_one_content() -> None:
    sealed = {"act": "sealed", "source": SOURCE, "sealed": file(7, "a.mp4.age")}
    now = clip(made(1), sealed, failed())
    assert now.sealed and now.sealed.name == "a.mp4.age"
    assert clip(made(1), sealed, made(2, source=_OTHER)).sealed is None
    assert [copy.name for copy in clips(made(1), sealed, made(2)).sealed_copies["c" * 64]] == ["a.mp4.age"]


def _dated(day: str | None, source: dict[str, Any] = SOURCE, **more: Any) -> dict[str, Any]:
    return made(1, source=source, policy={"sha256": "0" * 64, "captured": day}, **more)


def test_names_and_patterns() -> None:
    both = clips(made(1), made(2, source={"name": "[x].mp4"}, output=file(2, "[x].masked.mp4")))
    chosen, unknown = both.named(["[x].mp4", "a.masked.mp4", "b*"])
    assert {one.name for one in chosen} == {"[x].mp4", "a.mp4"} and unknown == ["b*"]


def test_a_purged_clip_is_still_known_by_the_name_of_its_file() -> None:
    assert [one.name for one in clips(made(1), PURGED).named(["a.masked.mp4"])[0]] == ["a.mp4"]
