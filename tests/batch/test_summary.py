"""What is counted once and told in the summary line, the health file and the exit code."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fleet import Fleet

from dashredact.audit.clips import Clips
from dashredact.batch.summary import ReviewCounter, RunSummary, WaitReason, clock, needing_review
from dashredact.errors import ExitCode
from dashredact.pipeline.outcome import VideoStatus
from dashredact.workspace.output_folder import OutputFolder


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([], 0),
        ([VideoStatus.MASKED, VideoStatus.SKIPPED, VideoStatus.REHEARSED], 0),
        ([VideoStatus.MASKED, VideoStatus.NEEDS_REVIEW], 5),
        ([VideoStatus.NEEDS_REVIEW, VideoStatus.FAILED], 3),
        ([VideoStatus.NEEDS_REVIEW, VideoStatus.REFUSED], 3),
        ([VideoStatus.FAILED, VideoStatus.REFUSED_BY_POLICY], 8),
        ([VideoStatus.FAILED, VideoStatus.BUG, VideoStatus.MASKED], 1),
    ],
)
def test_the_gravest_status_gives_the_exit_code(statuses: list[VideoStatus], code: int) -> None:
    assert RunSummary(Counter(statuses)).exit_code == code


def test_what_earlier_runs_left_for_a_person_counts_too() -> None:
    assert RunSummary(Counter([VideoStatus.SKIPPED]), needs_review=1).exit_code == ExitCode.NEEDS_REVIEW


def test_a_full_disk_comes_before_all_else() -> None:
    assert RunSummary(Counter([VideoStatus.FAILED]), short_of_space=True).exit_code == ExitCode.NOT_READY


def test_the_line_says_when_and_which_option_decides() -> None:
    now = datetime.now().replace(hour=12, minute=0, second=0, microsecond=0)
    summary = RunSummary(Counter({VideoStatus.MASKED: 2, VideoStatus.SKIPPED: 3}), without_audio=2, needs_review=1)
    for minutes in (9, 5):
        summary.wait(WaitReason.GROWING, (now + timedelta(minutes=minutes)).timestamp())
    summary.wait(WaitReason.RETRY, (now + timedelta(days=2)).timestamp())
    summary.wait(WaitReason.GIVEN_UP)
    later = f"{now + timedelta(days=2):%Y-%m-%d} 12:00:00"
    assert summary.line == (
        "2 masked; 3 done before; 1 video in all to review; audio dropped from 2; waiting: 1 given up, 2 still growing"
        f" (--settle: until 12:05:00), 1 to be tried again (--retry-after: from {later}), the oldest for 0 s"
    )


def test_a_time_is_rounded_up() -> None:
    whole = datetime.now().replace(hour=12, minute=0, second=1, microsecond=0)
    assert clock(whole.timestamp() - 0.9) == "12:00:01"


def test_a_video_needs_review_until_a_person_has_approved_this_very_output(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    doubtful = fleet.masked("a.mp4", outcome="needs review")
    fleet.masked("b.mp4")
    counter = ReviewCounter(OutputFolder(fleet.out))
    assert (counter.count(), counter.count()) == (1, 1)
    fleet.reviewed("a.mp4", doubtful, verdict="rejected")
    assert counter.count() == 1
    fleet.reviewed("a.mp4", doubtful)
    assert counter.count() == 0


def test_only_the_named_sources_count(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    for name in ("a.mp4", "b.mp4"):
        fleet.masked(name, outcome="needs review")
    clips = Clips.read(OutputFolder(fleet.out).events())
    assert [needing_review(clips, names) for names in (None, ["b.mp4"], ["c.mp4"])] == [2, 1, 0]
