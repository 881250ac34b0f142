"""Pictures of the unmasked source, for a person's eyes or to follow an object; written only where asked for."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from dashredact.errors import RefusedError
from dashredact.formats.tracks_json import TracksFile, tenths
from dashredact.imaging import contact_sheet as sheets
from dashredact.imaging.flow import GreyImage, MedianFlowTracker
from dashredact.kinds import Kind
from dashredact.media import segmentation
from dashredact.media.images import Scaler
from dashredact.media.probe import probe
from dashredact.media.reader import Reader
from dashredact.review.flags import FlaggedTrack
from dashredact.tracking.tracks import grown
from dashredact.values import Array, Picture

_SEGMENT = 2.0  # seconds, least; decoding starts at the next key frame before


def pictures(
    source: Path, file: TracksFile, wanted: Sequence[int], stream: int | None
) -> Iterator[tuple[int, Picture]]:
    """The wanted frames of the source, upright, RGB, by rising number. RefusedError where one does not decode."""
    info = probe(source, video_stream=stream)
    scaler = Scaler(info.video.width, info.video.height)
    numbers = {int(file.pts[number]): number for number in wanted}
    missing = set(numbers)
    with Reader(source, info) as reader:
        for segment in segmentation.split(info.packets, info.video.time_base, _SEGMENT):
            if any(_within(time, segment.start, segment.end) for time in missing):
                for frame in reader.frames(segment):
                    if frame.pts in numbers:
                        missing.discard(frame.pts)
                        yield numbers[frame.pts], scaler(frame.image)
    if missing:
        raise RefusedError(f"{source.name}: frame {numbers[min(missing)]} of it is not where its tracks file says.")


def _within(time: int, start: int | None, end: int | None) -> bool:
    return (start is None or start <= time) and (end is None or time < end)


def follow(
    source: Path, file: TracksFile, box: Array, frames: range, kind: Kind, stream: int | None
) -> list[tuple[float, ...]]:
    """Where the object in the box on the first of the frames is on each of them: frame x0 y0 x1 y1.

    It ends early where the object is lost. What was followed gets the margin of its kind; the box that a person drew
    stays as it is.
    """
    keys: list[tuple[float, ...]] = []
    follower: MedianFlowTracker | None = None
    for number, picture in pictures(source, file, frames, stream):
        grey: GreyImage = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
        if follower is None:
            follower = MedianFlowTracker(grey, box)
            keys.append((number, *box.tolist()))
            continue
        now = follower.step(grey)
        if now is None:
            break
        keys.append((number, *tenths(grown(kind, now[None]))[0].tolist()))
    return keys


def contact_sheet(source: Path, file: TracksFile, flagged: Sequence[FlaggedTrack], stream: int | None) -> bytes:
    """A PNG of what lies around each track on the frame where it was seen best, as it was filmed."""
    chosen = flagged[: sheets.MAX_TILES]
    best = [one.track.first + int(one.track.scores.argmax()) for one in chosen]
    shown: dict[int, Picture] = {}
    for number, picture in pictures(source, file, sorted(set(best)), stream):
        for one, frame in zip(chosen, best, strict=True):
            if frame == number:
                track = one.track
                caption = f"{track.id} {track.kind} {frame}"
                shown[track.id] = sheets.tile(picture, track.boxes[frame - track.first], caption)
    whole = sheets.sheet([shown[one.track.id] for one in chosen])
    return bytes(cv2.imencode(".png", np.ascontiguousarray(whole[..., ::-1]))[1].tobytes())
