"""Frames as they are read: each once, at its own time, from wherever reading starts; upright; as planes."""

from fractions import Fraction

import clips
import numpy as np
import pytest
from av.video.frame import VideoFrame
from clips import Library

from dashredact.errors import RefusedError
from dashredact.media import images as frame_images
from dashredact.media.images import Orientation, Scaler
from dashredact.media.info import Segment, VideoInfo
from dashredact.media.probe import probe
from dashredact.media.reader import Reader
from dashredact.media.segmentation import split

SEGMENTED = {
    "open gop.mp4": 3,
    "open gop.mkv": 3,
    "pyramid.mp4": 3,
    "hevc.mp4": 3,
    "late.mp4": 3,
    "irregular.mkv": 2,
    "hole.mp4": 2,
    "edit list.mp4": 2,
    "fragmented.mp4": 3,
    "intra refresh.mkv": 3,
    "turned 90.mp4": 3,
    "mpeg4.avi": 1,
    "transport.ts": 3,
    "one key frame.mp4": 1,
}
"""Least number of segments that the clip must fall into, so that there is something to test."""


def _read(reader: Reader, info: VideoInfo, segment: Segment) -> list[tuple[int, int]]:
    """PTS and written number of every frame."""
    scaler = Scaler(*((info.video.width, info.video.height)))
    return [(frame.pts, clips.number_on(scaler(frame.image))) for frame in reader.frames(segment)]


@pytest.mark.parametrize("name", SEGMENTED)
def test_segments_hold_each_frame_once_in_whatever_order_they_are_read(clip: Library, name: str) -> None:
    path = clip(name)
    info = probe(path)
    segments = split(info.packets, info.video.time_base, 0.3)
    assert len(segments) >= SEGMENTED[name]
    with Reader(path, info) as reader:
        in_one_go = [_read(reader, info, segment) for segment in segments]
        assert reader.lost == []
    expected = list(zip(info.packets.shown_pts, map(clips.number_on, clips.pictures_of(path)), strict=True))
    assert [frame for part in in_one_go for frame in part] == expected
    for number in reversed(range(len(segments))):
        with Reader(path, info) as reader:
            assert _read(reader, info, segments[number]) == in_one_go[number], f"segment {number} after a seek"
            assert reader.lost == []


def test_pixels_after_a_seek_are_those_of_reading_through(clip: Library) -> None:
    """An intra-refresh stream shows a clean picture only some frames after a recovery point."""
    for name in ("intra refresh.mkv", "open gop.mp4", "open gop.mkv"):
        path = clip(name)
        info = probe(path)
        segments = split(info.packets, info.video.time_base, 0.3)
        with Reader(path, info) as reader:
            through = [[frame.image.to_ndarray() for frame in reader.frames(segment)] for segment in segments]
        for number, segment in enumerate(segments):
            with Reader(path, info) as reader:
                sought = [frame.image.to_ndarray() for frame in reader.frames(segment)]
            assert all(np.array_equal(a, b) for a, b in zip(sought, through[number], strict=True)), (name, number)


@pytest.mark.parametrize("name", ["open gop.mp4", "irregular.mkv", "late.mp4", "transport.ts", "edit list.mp4"])
def test_frames_around_a_segment_are_those_of_its_neighbours(clip: Library, name: str) -> None:
    path = clip(name)
    info = probe(path)
    segments = split(info.packets, info.video.time_base, 0.3)
    with Reader(path, info) as reader:
        whole = [_read(reader, info, segment) for segment in segments]
    numbers = [number for part in whole for _, number in part]
    middle = segments[1]
    assert middle.start is not None and middle.end is not None
    reach = round(0.2 / info.video.time_base)
    with Reader(path, info) as reader:
        scaler = Scaler(info.video.width, info.video.height)
        read = [
            (frame.pts, clips.number_on(scaler(frame.image))) for frame in reader.frames(middle, middle.start - reach)
        ]
        ahead = [(frame.pts, clips.number_on(scaler(frame.image))) for frame in reader.ahead(middle.end + reach)]
        assert reader.lost == []
        after = _read(reader, info, segments[2])
    lead = [frame for frame in read if frame[0] < middle.start]
    assert read[len(lead) :] == whole[1]
    assert lead and lead == [frame for frame in whole[0] if frame[0] >= middle.start - reach]
    assert ahead and ahead == [frame for part in whole[2:] for frame in part if frame[0] < middle.end + reach]
    assert after == whole[2], "what was looked at ahead is read again"
    assert numbers == sorted(numbers)


def test_what_follows_needs_no_frames_from_before(clip: Library) -> None:
    path = clip("30.mp4")
    info = probe(path)
    segments = split(info.packets, info.video.time_base, 0.3)
    with Reader(path, info) as reader:
        first = _read(reader, info, segments[0])
        assert reader.continues(segments[1])
        start = segments[1].start
        assert start is not None
        assert min(frame.pts for frame in reader.frames(segments[1], start - 10**6)) == start > first[-1][0]


def test_lost_frames_are_told_in_the_segment_they_belong_to(clip: Library) -> None:
    path = clip("spoilt.mp4")
    info = probe(path)
    segments = split(info.packets, info.video.time_base, 0.3)
    wreck = set(info.packets.pts[20:30])
    """two that are spoilt, and what was predicted from them, up to the next key frame"""
    with Reader(path, info) as reader:
        for segment in segments:
            seen = {frame.pts for frame in reader.frames(segment)}
            assert segment.end is not None or segment is segments[-1]
            mine = {
                pts
                for pts in info.packets.shown_pts
                if (segment.start is None or pts >= segment.start) and (segment.end is None or pts < segment.end)
            }
            assert seen | set(reader.lost) == mine
            assert not seen & set(reader.lost)
            assert mine & wreck == set(reader.lost)


def _image(pixel_format: str, width: int = 64, height: int = 48) -> VideoFrame:
    return VideoFrame(width, height, pixel_format)


@pytest.mark.parametrize(
    ("source", "size", "expected"),
    [
        ("yuv420p", (64, 48), "yuv420p"),
        ("yuvj420p", (64, 48), "yuv420p"),
        ("nv12", (64, 48), "yuv420p"),
        ("yuv420p10le", (64, 48), "yuv420p10le"),
        ("p010le", (64, 48), "yuv420p10le"),
        ("yuv420p12le", (64, 48), "yuv420p12le"),
        ("yuv422p", (64, 48), "yuv422p"),
        ("yuv422p", (64, 49), "yuv422p"),
        ("yuv422p", (63, 48), "yuv444p"),
        ("yuv420p", (63, 48), "yuv444p"),
        ("yuv420p", (64, 49), "yuv444p"),
        ("yuv420p10le", (63, 49), "yuv444p10le"),
        ("yuv444p", (63, 49), "yuv444p"),
        ("yuv411p", (64, 48), "yuv422p"),
        ("gray", (64, 48), "gray"),
        ("rgb24", (64, 48), "yuv444p"),
        ("pal8", (64, 48), "yuv444p"),
    ],
)
def test_working_format_loses_neither_depth_nor_colour(source: str, size: tuple[int, int], expected: str) -> None:
    assert frame_images.working_format(_image(source, *size)) == expected


@pytest.mark.parametrize(
    ("pixel_format", "depth", "steps"),
    [("yuv420p", 8, (2, 2)), ("yuv422p10le", 10, (2, 1)), ("yuv444p12le", 12, (1, 1)), ("gray", 8, (1, 1))],
)
def test_planes_are_the_frame_itself(pixel_format: str, depth: int, steps: tuple[int, int]) -> None:
    image = _image(pixel_format, 50, 38)
    view = frame_images.planes(image)
    assert (view.depth, view.subsampling_x, view.subsampling_y, view.width, view.height) == (depth, *steps, 50, 38)
    for number, plane in enumerate(view.planes):
        plane[:] = number + 7
    again = frame_images.planes(image)
    assert [(int(plane.min()), int(plane.max())) for plane in again.planes] == [
        (number + 7, number + 7) for number in range(len(view.planes))
    ]
    if len(view.planes) == 3:
        assert view.planes[1].shape == (-(-38 // steps[1]), -(-50 // steps[0]))


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (Orientation(), [[1, 2, 3], [4, 5, 6]]),
        (Orientation(transpose=True), [[1, 4], [2, 5], [3, 6]]),
        (Orientation(flip_x=True), [[3, 2, 1], [6, 5, 4]]),
        (Orientation(flip_y=True), [[4, 5, 6], [1, 2, 3]]),
        (Orientation(True, True, False), [[4, 1], [5, 2], [6, 3]]),
        (Orientation(True, False, True), [[3, 6], [2, 5], [1, 4]]),
    ],
)
def test_orientation_turns_pixels(turn: Orientation, expected: list[list[int]]) -> None:
    assert turn.apply(np.array([[1, 2, 3], [4, 5, 6]])).tolist() == expected


@pytest.mark.parametrize("name", ["turned 90.mp4", "turned 180.mp4", "turned 270.mov", "turned 4-2-2.mp4"])
def test_detector_and_painter_see_the_same_way_up(clip: Library, name: str) -> None:
    """A box found on the scaled picture lies on the same thing on the planes."""
    path = clip(name)
    info = probe(path)
    shown = clips.pictures_of(path)[10]
    with Reader(path, info) as reader:
        frame = list(reader.frames(Segment(0, None, None)))[10]
    picture = Scaler(info.video.width, info.video.height)(frame.image)
    assert np.abs(picture.astype(int) - shown).mean() < 3
    image, planes = frame_images.paintable(frame.image, frame_images.working_format(frame.image))
    assert (image.width, image.height) == frame_images.upright_size(frame.image) == (shown.shape[1], shown.shape[0])
    assert image.pts == frame.pts
    upright = image.reformat(format="rgb24", src_colorspace=1, src_color_range=1).to_ndarray()
    assert np.abs(upright.astype(int) - shown).mean() < 6
    assert planes.planes[0].shape == shown.shape[:2]


def test_painting_leaves_the_decoders_frame_alone(clip: Library) -> None:
    """Later frames are predicted from it."""
    path = clip("30.mp4")
    info = probe(path)
    with Reader(path, info) as reader:
        for frame in reader.frames(Segment(0, None, None)):
            before = frame.image.to_ndarray()
            _, planes = frame_images.paintable(frame.image, "yuv420p")
            planes.planes[0][:] = 16
    with Reader(path, info) as reader:
        numbers = [number for _, number in _read(reader, info, Segment(0, None, None))]
    assert numbers == list(range(36))
    assert before.shape == (168, 192)


def test_picture_has_square_pixels_and_is_at_most_doubled(clip: Library) -> None:
    plain, flat = probe(clip("30.mp4")), probe(clip("flat pixels.mp4"))
    assert frame_images.picture_size(plain, 96) == (96, 56)
    assert frame_images.picture_size(plain, 1280) == (384, 224)
    assert frame_images.picture_size(flat, 128) == (128, 56)
    assert flat.video.sample_aspect_ratio == Fraction(4, 3)


def test_turn_by_other_than_quarters_is_refused(clip: Library) -> None:
    path = clip("turned 45.mp4")
    with Reader(path, probe(path)) as reader, pytest.raises(RefusedError, match="multiple of 90°"):
        frame_images.orientation(next(iter(reader.frames(Segment(0, None, None)))).image)
