"""What the log tells of clips: versions, reviews, holds, and whom a correction or a deletion concerns."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashredact.audit.clips import clips, handed, held, named, recalls

_LAST = date(2026, 5, 1)
_SOURCE = {"name": "a.mp4", "sha256": "c" * 64}


def _file(version: int, name: str = "a.masked.mp4") -> dict[str, Any]:
    return {"name": name, "sha256": f"{version:064}"}


def _made(version: int) -> dict[str, Any]:
    return {"act": "masked", "source": _SOURCE, "output": _file(version), "by": {"user": "m"}, "settings": {}}


def _corrected(version: int, before: int) -> dict[str, Any]:
    line = {"act": "corrected", "source": _SOURCE, "output": _file(version), "replaces": f"{before:064}"}
    return {**line, "by": {"user": "c", "name": "Corrector"}}


def _exported(version: int, to: str = "R") -> dict[str, Any]:
    return {"act": "exported", "source": _SOURCE, "output": _file(version), "recipient": to}


def _seen(version: int, verdict: str = "approved") -> dict[str, Any]:
    return {"act": "reviewed", "source": _SOURCE, "output": _file(version), "verdict": verdict, "by": {"user": "r"}}


_PURGED = {"act": "purged", "files": [{"name": "a.masked.mp4"}], "reason": "over"}


def test_every_recipient_is_told_once_for_the_version_they_hold() -> None:
    log = [_made(1), _exported(1, "A"), _corrected(2, 1), _exported(2, "B"), _corrected(3, 2), _exported(3, "C")]
    assert [(one.handed.recipient, one.line) for one in recalls(log)] == [("A", 3), ("B", 5)]


def test_a_deletion_concerns_all_who_got_it_before() -> None:
    log = [_made(1), _exported(1, "A"), _PURGED, _made(1), _exported(1, "B")]
    assert [(one.handed.recipient, one.act, one.reason) for one in recalls(log)] == [("A", "purged", "over")]


def test_the_purge_of_a_source_concerns_nobody() -> None:
    log = [_made(1), _exported(1), {"act": "purged", "source": _SOURCE, "rule": {"name": "retention.captured"}}]
    assert recalls(log) == [] and clips(log)[0].erased and not clips(log)[0].purged


@given(st.lists(st.sampled_from(["export", "correct", "purge"]), max_size=12))
def test_the_recall_list_is_who_holds_a_version_that_is_not_the_newest(acts: list[str]) -> None:
    """Against a book kept by hand."""
    log, version, holders, book = [_made(1)], 1, [], []
    for act in acts:
        if act == "export":
            log.append(_exported(version))
            holders.append((len(log), version))
        elif act == "correct":
            log.append(_corrected(version + 1, version))
            book += [(line, len(log)) for line, held_version in holders if held_version == version]
            version += 1
        else:
            log.append(_PURGED)
            book += [(line, len(log)) for line, _ in holders]
    assert sorted((one.handed.line, one.line) for one in recalls(log)) == sorted(book)
    assert len(list(handed(log))) == len(holders)


def test_a_review_is_of_one_version_and_the_last_one_counts() -> None:
    (clip,) = clips([_made(1), _seen(1)])
    assert clip.reviewed_by == "r"
    for later in ([_corrected(2, 1)], [_seen(1, "rejected")], [_made(2)]):
        assert clips([_made(1), _seen(1), *later])[0].reviewed_by == ""


def test_the_newest_version_is_the_clip() -> None:
    (clip,) = clips([_made(1), {"act": "failed", "source": _SOURCE}, _corrected(2, 1), _exported(2)])
    assert clip.output == _file(2) and clip.line == 3 and clip.tried["act"] == "masked"
    (clip,) = clips([_made(1), _PURGED])
    assert clip.output is None and clip.purged


def test_a_clip_that_never_came_out_is_one_all_the_same() -> None:
    (clip,) = clips([{"act": "failed", "source": _SOURCE, "output": None}])
    assert clip.output is None and not clip.purged and clip.source_sha256 == "c" * 64


def test_a_withheld_clip_is_still_masked() -> None:
    (clip,) = clips([_made(1), {"act": "withheld", "source": _SOURCE, "output": _file(1), "recipient": "R"}])
    assert clip.record["act"] == "masked"


def test_it_is_held_until_released_or_over() -> None:
    (clip,) = clips([_made(1)])
    hold = {"act": "held", "source": _SOURCE, "reason": "case 7", "hold": {"kind": "police", "until": "2026-05-01"}}
    release = {"act": "released", "source": _SOURCE}
    assert held([hold], clip, _LAST) == "case 7" and held([hold], clip, date(2026, 5, 2)) == ""
    assert held([hold, release], clip, _LAST) == ""
    assert held([hold, release, hold | {"reason": ""}], clip, _LAST) == "police"
    assert held([hold | {"source": {"name": "b.mp4", "sha256": None}}], clip, _LAST) == ""
    assert held([hold | {"source": {"name": "b.mp4", "sha256": "c" * 64}}], clip, _LAST) == "case 7"


def test_the_log_may_know_the_day() -> None:
    (clip,) = clips([_made(1) | {"policy": {"sha256": "0" * 64, "captured": "2026-04-12"}}])
    assert clip.captured == "2026-04-12" and clips([_made(1)])[0].captured == ""


def test_the_newest_line_about_this_content_that_says_a_day_counts() -> None:
    def said(day: str | None, source: dict[str, object] = _SOURCE) -> dict[str, object]:
        return _made(1) | {"source": source, "policy": {"sha256": "0" * 64, "captured": day}}

    other = _SOURCE | {"sha256": "e" * 64}
    log = [said("2026-04-11"), said("2026-04-12"), said(None), said("2026-04-13", other), _made(1)]
    assert clips(log)[0].captured == "2026-04-12"


def test_names_and_patterns() -> None:
    found = clips([_made(1), {**_made(2), "source": {"name": "[x].mp4"}, "output": _file(2, "[x].masked.mp4")}])
    chosen, unknown = named(found, ["[x].mp4", "a.masked.mp4", "b*"])
    assert {clip.name for clip in chosen} == {"[x].mp4", "a.mp4"} and unknown == ["b*"]
