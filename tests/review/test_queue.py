"""What waits for a person, and how a video stands in a word or two."""

from typing import Any

import pytest
from log_lines import PURGED, clip, corrected, duplicate, failed, file, made, mark, reviewed, undo

from dashredact.audit import log as audit_log
from dashredact.errors import UsageError
from dashredact.review.queue import ReviewQueue, assess, state_of
from dashredact.workspace.output_folder import OutputFolder

_LOST = {"how": "tracked", "wanted_end": 20}


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([made(1)], "masked, not reviewed"),
        ([made(1, "needs review")], "needs review, not reviewed"),
        ([made(1), reviewed(1)], "approved"),
        ([made(1), reviewed(1, "rejected")], "rejected"),
        ([made(1), reviewed(1, "rejected"), mark(1)], "rejected, to be applied"),
        ([made(1), reviewed(1), mark(1)], "to be applied"),
        ([made(1), mark(1), corrected(2, 1, (1,))], "corrected"),
        ([made(1), mark(1, **_LOST), corrected(2, 1, (1,)), reviewed(2)], "a mark lost its object"),
        ([made(1), PURGED], "purged"),
        ([failed()], "failed"),
        ([failed("refused by policy")], "refused by policy"),
    ],
)
def test_state(lines: list[dict[str, Any]], state: str) -> None:
    assert state_of(clip(*lines)) == state


@pytest.mark.parametrize(
    ("lines", "waits"),
    [
        ([made(1)], True),
        ([made(1), reviewed(1)], False),
        ([made(1), reviewed(1, "rejected")], True),
        ([made(1), reviewed(1, "rejected"), mark(1), corrected(2, 1, (1,)), reviewed(2)], False),
        ([failed()], True),
        ([failed(), reviewed(1, "rejected", output=None)], False),
        ([failed(), reviewed(1, "rejected", output=None), failed()], True),
        ([made(1), reviewed(1), failed()], True),
        ([failed(), made(1), reviewed(1)], False),
        ([made(1), reviewed(1), mark(1), undo(1)], False),
        ([made(1), PURGED], False),
    ],
)
def test_what_waits(lines: list[dict[str, Any]], waits: bool) -> None:
    assert assess(clip(*lines), None, None, altered=False).is_open is waits


@pytest.mark.parametrize(
    ("later", "unfinished"),
    [
        ([], [1]),
        ([mark(2, first=6, end=20)], []),
        ([mark(2, first=6, end=19)], [1]),
        ([mark(2, first=6, end=20, kind="plate")], [1]),
        ([mark(2, first=6, end=12), mark(3, first=11, end=20)], []),
        ([undo(1)], []),
        ([mark(2, first=6, end=20), undo(2)], [1]),
    ],
)
def test_a_mark_that_lost_its_object_waits_until_others_go_on(
    later: list[dict[str, Any]], unfinished: list[int]
) -> None:
    now = clip(made(1), mark(1, **_LOST), *later)
    assert [one.id for one in now.corrections.unfinished_marks] == unfinished
    applied = clip(made(1), mark(1, **_LOST), corrected(2, 1, (1,)), reviewed(2))
    assert applied.waits_for_review and applied.review_required


def _queue(folder: OutputFolder, *lines: dict[str, Any]) -> ReviewQueue:
    for line in lines:
        audit_log.append(folder.log, line)
    return ReviewQueue(folder)


@pytest.fixture
def folder(tmp_path: Any) -> OutputFolder:
    (tmp_path / "a.masked.mp4").write_bytes(b"x")
    return OutputFolder(tmp_path)


def test_each_masked_file_is_listed_once_and_failures_beside_it(folder: OutputFolder) -> None:
    other = {**failed(), "source": {"name": "c.mp4", "sha256": "d" * 64}}
    queue = _queue(folder, made(1), duplicate(1), other)
    assert [(video.clip.name, video.state) for video in queue.queue()] == [
        ("a.mp4", "masked, not reviewed"),
        ("c.mp4", "failed"),
    ]
    assert [video.clip.name for video in _queue(folder, reviewed(1)).queue()] == ["c.mp4"]
    assert len(ReviewQueue(folder).queue(every=True)) == 2
    assert queue.masked("b.mp4").name == "a.mp4"
    assert queue.matching("?.mp4") == ["a.mp4", "c.mp4"]


def test_what_has_no_masked_file_cannot_be_reviewed(folder: OutputFolder) -> None:
    queue = _queue(folder, made(1), PURGED, {**failed(), "source": {"name": "c.mp4"}})
    for name, why in (("a.mp4", "was purged"), ("c.mp4", "no masked video of it"), ("a.mkv", "did you mean a.mp4?")):
        with pytest.raises(UsageError, match=why):
            queue.masked(name)


def test_a_masked_file_of_another_size_is_listed_again(folder: OutputFolder) -> None:
    lines = (made(1, output={**file(1), "bytes": 2}), reviewed(1))
    (video,) = _queue(folder, *lines).queue()
    assert (video.state, video.altered) == ("not the file of the log", True)
