"""Draws: every moment as likely as any other, the same for everybody who has the seed, and in the log."""

from collections import Counter

import numpy as np
import pytest
from log_lines import clips, events
from scipy.stats import chisquare

from dashredact.review.draws import FrameSpan, draw, draws, fingerprint, named
from dashredact.review.miss_bound import MissBound

_SPANS = [
    FrameSpan("still.mp4", "a" * 64, np.arange(40) / 10),  # 4 s
    FrameSpan("lone.mp4", "b" * 64, np.zeros(1)),  # nobody knows how long
    FrameSpan("odd.mkv", "c" * 64, np.array([0, 0.1, 0.2, 1.2, 1.3, 3.9])),  # 4 s, the fifth frame is shown for 2.6 s
]


def test_frames_come_up_as_often_as_they_are_shown() -> None:
    drawn = draw(_SPANS, 20_000, "a seed")
    assert sum(one.times for one in drawn) == 20_000
    shown = {("still.mp4", frame): 0.1 for frame in range(40)}
    shown |= {("odd.mkv", frame): seconds for frame, seconds in enumerate([0.1, 0.1, 1.0, 0.1, 2.6, 0.1])}
    found = Counter({(one.name, one.frame): one.times for one in drawn})
    assert found.keys() == shown.keys()
    expected = np.array(list(shown.values())) / 8 * 20_000
    assert chisquare([found[key] for key in shown], expected).pvalue > 0.001


def test_the_seed_decides_and_the_order_is_that_of_the_videos() -> None:
    drawn = draw(_SPANS, 30, "1")
    assert drawn == draw(_SPANS, 30, "1") != draw(_SPANS, 30, "2")
    assert [(one.name, one.frame) for one in drawn] == sorted(
        ((one.name, one.frame) for one in drawn), key=lambda one: (one[0] != "still.mp4", one[1])
    )
    assert {one.output for one in drawn if one.name == "odd.mkv"} == {"c" * 64}


@pytest.mark.parametrize("spans", [[], _SPANS[1:2]])
def test_nothing_to_draw_from(spans: list[FrameSpan]) -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw(spans, 3, "1")


def _masked(name: str, sha256: str) -> dict[str, object]:
    output = {"name": f"{name}.masked.mp4", "sha256": sha256 * 64, "bytes": 1}
    return {"act": "masked", "source": {"name": name, "sha256": "0" * 64}, "output": output}


def _sampled(number: int, records: list[dict[str, object]], names: list[str]) -> dict[str, object]:
    population = fingerprint(named(clips(*records).masked(), names))
    return {"act": "sampled", "draw": {"id": number, "names": names, "population": population}}


def test_population_is_what_is_there_and_fits() -> None:
    records = [_masked("a/1", "a"), _masked("b/2", "b"), {"act": "purged", "files": [{"name": "b/2.masked.mp4"}]}]
    assert [clip.name for clip in clips(*records).masked()] == ["a/1"]
    assert [clip.name for clip in named(clips(*records[:2]).masked(), ["b/*"])] == ["b/2"]


def test_draws_have_their_newest_verdicts_and_know_whether_they_still_hold() -> None:
    records = [_masked("a", "a"), _masked("b", "b")]
    records += [_sampled(1, records, []), _sampled(2, records, ["b"])]
    bound = {"missed": 1, "confidence": 0.95, "seen": 36.0, "most": 170.0}
    verdicts = [{"frames": 100, "bounds": {kind: bound}} for kind in ("face", "plate")]
    older, newer = ({"act": "judged", "draw": {"id": 2}, "judged": one} for one in verdicts)
    lines = [*records, older, newer]
    first, second = draws(events(*lines), clips(*lines))
    assert (first.judged, first.bounds, first.same) == (None, {}, True)
    assert second.bounds == {"plate": MissBound(100, 1, 0.95, 36.0, 170.0)} and second.same
    lines = [*records, _masked("a", "c")]
    first, second = draws(events(*lines), clips(*lines))
    assert (first.same, second.same) == (False, True)
