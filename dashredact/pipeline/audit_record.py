"""What is recorded about a masked video in the audit log, and why a person should review it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from msgspec import convert

from dashredact.audit.events import FrameCounts, SecondLookEntry, StreamLists
from dashredact.imaging import boxes as geometry
from dashredact.kinds import Kind
from dashredact.pipeline.detect_pass import lost_frames
from dashredact.pipeline.recheck import RecheckResult, ResidualDetection
from dashredact.pipeline.video import RenderedVideo
from dashredact.tracking.timeline import masked_shares
from dashredact.values import ORIGINS, Track

_MAX_NAMED = 3  # residual detections or tracks that a reason names; log and tracks file have all of them


def of_rendered(rendered: RenderedVideo) -> dict[str, Any]:
    """The fields of an event that describe a masked file."""
    info, selection = rendered.info, rendered.selection
    dropped = [*map(str, selection.dropped), *(["chapters"] if info.chapters else []), "metadata"]
    return {
        "frames": FrameCounts(
            in_=len(rendered.pts) + len(rendered.lost),
            out=len(rendered.pts),
            lost_at=[round(float(pts * info.video.time_base), 4) for pts in rendered.lost],
        ),
        "tracks": track_counts(rendered.tracks),
        "masked_share": round(_masked_share(rendered), 6),
        "streams": StreamLists(kept=[str(info.video), *map(str, selection.kept)], dropped=dropped),
        "verified": asdict(rendered.checks),
        "notes": list(rendered.notes),
        "second_look": second_look(rendered.recheck),
        "seconds": {stage: round(seconds, 2) for stage, seconds in rendered.seconds.items()},
    }


def second_look(result: RecheckResult | None) -> SecondLookEntry:
    """The recheck in the audit log and in the tracks file: whether it ran, and all residual detections."""
    return convert({"ran": True, **asdict(result)}, SecondLookEntry) if result else SecondLookEntry(ran=False)


def review_reasons(rendered: RenderedVideo, masked_limit: float) -> list[str]:
    """Why a person should review the masked file; empty if nothing calls for it.

    masked_limit: mean share of the picture under masks above which somebody should look.
    """
    lost = [lost_frames(rendered.lost, rendered.info)] if rendered.lost else []
    residuals = _residuals(rendered.recheck.finds if rendered.recheck else ())
    return [*rendered.info.damages, *lost, *residuals, *_large_masks(rendered, masked_limit)]


def _masked_share(rendered: RenderedVideo) -> float:
    shares = masked_shares(_detected(rendered), len(rendered.pts), *rendered.size)
    return float(shares.mean()) if len(shares) else 0.0


def _detected(rendered: RenderedVideo) -> list[Track]:
    """Without zones, which a person has chosen."""
    return [track for track in rendered.tracks if track.kind is not Kind.ZONE]


def _large_masks(rendered: RenderedVideo, limit: float) -> list[str]:
    share = _masked_share(rendered)
    if share <= limit:
        return []
    areas = {track.id: float(geometry.area(track.boxes).sum()) for track in _detected(rendered)}
    largest = sorted(areas, key=lambda number: -areas[number])[:_MAX_NAMED]
    named = f"track {largest[0]}" if len(largest) == 1 else f"tracks {', '.join(map(str, largest))}"
    return [f"masks cover {100 * share:.0f} % of the picture, most of it {named}"]


def _residuals(residuals: Sequence[ResidualDetection]) -> list[str]:
    if not residuals:
        return []
    more = f" and {len(residuals) - _MAX_NAMED} more" if len(residuals) > _MAX_NAMED else ""
    return [f"the masked video still shows what may be a {', a '.join(map(str, residuals[:_MAX_NAMED]))}{more}"]


def track_counts(tracks: Sequence[Track]) -> dict[str, dict[str, int]]:
    """By kind: the number of tracks, and of masked boxes by origin."""
    counts: dict[str, Counter[str]] = {}
    for track in tracks:
        own = counts.setdefault(track.kind, Counter())
        own["tracks"] += 1
        own.update(str(ORIGINS[number]) for number in track.origins)
    return {kind: dict(own) for kind, own in counts.items()}
