"""The finished file is opened again and believed in nothing: streams, frames, times, and that every mask is there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2

from dashredact.errors import UnverifiedError, VideoError
from dashredact.imaging.mosaic import Mask, region, render
from dashredact.media.corruption import Frame
from dashredact.media.images import planes
from dashredact.media.info import Stream, StreamKind, VideoInfo
from dashredact.media.join import StreamSelection
from dashredact.media.packets import open_container, scan
from dashredact.media.probe import probe
from dashredact.media.reader import Reader
from dashredact.media.segmentation import split
from dashredact.settings import Style
from dashredact.text import plural
from dashredact.values import StageProgress

_TIME_TOLERANCE = Fraction(1, 1000)  # seconds; what Matroska rounds to
_SOUND_TOLERANCE = Fraction(1, 20)  # seconds; encoded sound comes in frames of some 20 ms
_EVERY_FRAME = 300  # up to this many frames all are looked at, of longer videos about as many
_TOLERANCE = 8.0  # mean difference of a mask to what was painted, of 256 levels; coding alone gives under 5
_HARMLESS = {
    *("major_brand", "minor_version", "compatible_brands", "encoder", "duration"),
    *("handler_name", "vendor_id", "language", "service_name", "service_provider"),
}
"""Tags that the muxers write of themselves, and the language of a sound track."""


@dataclass(frozen=True)
class Checks:
    """What was proven of a finished file."""

    frames: int
    frames_looked_at: int
    masks_looked_at: int
    worst_mask: float
    """largest mean difference of a mask's plane to what was painted, of 256 levels"""


def _unheard(_stage: str, _frames: int) -> None:
    pass


def verify(
    path: Path,
    source: Path,
    facts: VideoInfo,
    choice: StreamSelection,
    *,
    pts: Sequence[int],
    masks: Callable[[int], Sequence[Mask]],
    style: Style,
    advance: StageProgress = _unheard,
) -> Checks:
    """UnverifiedError if anything is off.

    pts: of every frame, in the source's time base. masks: what was painted on a frame, by its index.
    """
    try:
        finished = probe(path)
    except VideoError as error:
        raise UnverifiedError(f"The finished file is not a sound video: {error}") from error
    _check_inventory(finished, choice)
    expected = [time * facts.video.time_base for time in pts]
    _check_times(finished, expected)
    for place, stream in enumerate(stream for stream in choice.kept if stream.kind is StreamKind.AUDIO):
        _check_sound(
            source, path, stream, _of_kind(finished, StreamKind.AUDIO)[place], exact=not choice.transcodes(stream)
        )
    return _check_masks(path, finished, len(expected), masks, style, advance)


def _of_kind(facts: VideoInfo, kind: StreamKind) -> list[Stream]:
    return [stream for stream in facts.streams if stream.kind is kind]


def _check_inventory(finished: VideoInfo, choice: StreamSelection) -> None:
    wanted = sorted([StreamKind.VIDEO, *(stream.kind for stream in choice.kept)])
    there = sorted(stream.kind for stream in finished.streams)
    if there != wanted:
        raise UnverifiedError(f"The finished file holds the streams {_words(there)} instead of {_words(wanted)}.")
    if finished.chapters:
        raise UnverifiedError("The finished file holds chapters that nobody chose.")
    if finished.tags - _HARMLESS:
        raise UnverifiedError(f"The finished file holds metadata: {', '.join(sorted(finished.tags - _HARMLESS))}.")


def _words(kinds: Sequence[StreamKind]) -> str:
    return ", ".join(kinds)


def _check_times(finished: VideoInfo, expected: Sequence[Fraction]) -> None:
    there = [pts * finished.video.time_base for pts in finished.packets.shown_pts]
    if len(there) != len(expected):
        raise UnverifiedError(f"The finished file holds {plural(len(there), 'frame')} instead of {len(expected)}.")
    for number, (is_at, should_be) in enumerate(zip(there, expected, strict=True)):
        if abs(is_at - should_be) > _TIME_TOLERANCE:
            raise UnverifiedError(
                f"Frame {number} of the finished file is at {float(is_at):.4f} s instead of {float(should_be):.4f} s."
            )


def _check_sound(source: Path, path: Path, before: Stream, after: Stream, *, exact: bool) -> None:
    one, other = _span(source, before), _span(path, after)
    if exact and one[2] != other[2]:
        raise UnverifiedError(f"Sound {before} has {other[2]} packets in the finished file instead of {one[2]}.")
    if max(abs(one[0] - other[0]), abs(one[1] - other[1])) > _SOUND_TOLERANCE:
        is_at, should_be = (f"from {float(span[0]):.3f} to {float(span[1]):.3f} s" for span in (other, one))
        raise UnverifiedError(f"Sound {before} runs {is_at} instead of {should_be}.")


def _span(path: Path, stream: Stream) -> tuple[Fraction, Fraction, int]:
    """First and last time of a stream's packets in seconds, and their number."""
    packets = scan(path, stream.index)
    with open_container(path) as container:
        time_base = container.streams[stream.index].time_base or Fraction(1, 1000)
    times = [pts for pts in packets.pts if pts is not None]
    if not times:
        return Fraction(0), Fraction(0), len(packets)
    return min(times) * time_base, max(times) * time_base, len(packets)


def _check_masks(
    path: Path,
    finished: VideoInfo,
    total: int,
    masks: Callable[[int], Sequence[Mask]],
    style: Style,
    advance: StageProgress,
) -> Checks:
    number_of = {pts: number for number, pts in enumerate(finished.packets.shown_pts)}
    looked_at, worst = 0, 0.0
    proven = 0
    for frame in _sample(path, finished, total):
        number = number_of[frame.pts]
        looked_at += 1
        advance("verify", 0)
        for difference in differences(frame, number, masks(number), style):
            worst, proven = max(worst, difference), proven + 1
    return Checks(total, looked_at, proven, round(worst, 2))


def _sample(path: Path, finished: VideoInfo, total: int) -> Iterator[Frame]:
    segments = split(finished.packets, finished.video.time_base, 1.0 if total > _EVERY_FRAME else 10.0)
    every = max(round(total / _EVERY_FRAME), 1)
    with Reader(path, finished) as reader:
        for segment in segments[::every]:
            yield from reader.frames(segment)
            if reader.lost:
                raise UnverifiedError(f"{plural(len(reader.lost), 'frame')} of the finished file cannot be decoded.")


def differences(frame: Frame, number: int, masks: Sequence[Mask], style: Style) -> Iterator[float]:
    """Per mask, the mean difference of its worst plane to what was painted, of 256 levels.

    UnverifiedError, which names the frame by its number, where that is more than coding explains.
    """
    if not masks:
        return
    decoded = planes(frame.image)
    painted = decoded._replace(planes=[plane.copy() for plane in decoded.planes])
    for box, cells in masks:
        for plane, values in enumerate(cells):
            inside = region(painted, plane, box)
            inside[:] = render(values, inside.shape[0], inside.shape[1], style)
    for box, cells in masks:
        off = [cv2.absdiff(region(painted, n, box), region(decoded, n, box)).mean() for n in range(len(cells))]
        difference = float(max(off)) / (1 << (decoded.depth - 8))
        if difference > _TOLERANCE:
            raise UnverifiedError(
                f"A mask of frame {number} is not on the finished file (off by {difference:.0f} of 256)."
            )
        yield difference
