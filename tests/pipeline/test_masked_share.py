"""A video whose masks cover much of the picture waits for a person, and says how much and what."""

import pytest
from clips import Library
from conftest import Mask

from dashredact.pipeline.outcome import VideoStatus
from dashredact.settings import Zone, Zones

_TOP = Zones(mask=(Zone("sky", (0.0, 0.0, 1.0, 0.5)),))


def test_the_share_is_written_into_the_log(clip: Library, mask: Mask) -> None:
    outcome = mask(clip("30.mp4"))
    assert outcome.status is VideoStatus.MASKED
    assert outcome.event is not None and outcome.record is not None
    assert outcome.event.masked_share is not None
    assert 0.03 < outcome.event.masked_share < 0.12
    assert outcome.record["masked_share"] == outcome.event.masked_share


@pytest.mark.parametrize(("limit", "status"), [(0.03, VideoStatus.NEEDS_REVIEW), (0.12, VideoStatus.MASKED)])
def test_more_than_the_limit_waits_for_a_person(clip: Library, mask: Mask, limit: float, status: VideoStatus) -> None:
    outcome = mask(clip("30.mp4"), masked_limit=limit)
    assert outcome.status is status
    assert outcome.output is not None
    if status is VideoStatus.NEEDS_REVIEW:
        assert "30.mp4: masks cover" in outcome.reason
        assert "% of the picture, most of it track 1." in outcome.reason


def test_zones_that_a_person_chose_do_not_count(clip: Library, mask: Mask) -> None:
    outcome = mask(clip("30.mp4"), zones=_TOP)
    assert outcome.status is VideoStatus.MASKED
    assert outcome.event is not None and outcome.event.masked_share is not None
    assert outcome.event.masked_share < 0.12
