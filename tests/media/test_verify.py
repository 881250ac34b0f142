"""The finished file is looked at again: whatever was spoilt on the way is found, and nothing is published."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import clips
import numpy as np
import pytest
from clips import Finder, Library
from conftest import SETTINGS

from dashredact.errors import UnverifiedError
from dashredact.imaging.boxes import PixelBox
from dashredact.imaging.mosaic import Mask, Planes, paint
from dashredact.kinds import Kind
from dashredact.media import concat, encode, remux
from dashredact.media.hdr import StaticMetadata
from dashredact.pipeline import render_pass
from dashredact.pipeline.video import RenderedVideo, VideoPipeline
from dashredact.settings import Keep, Settings, Style
from dashredact.workspace.work_folder import WorkFolder

Boxes = list[tuple[Kind, PixelBox]]


@pytest.fixture
def run(clip: Library, tmp_path: Path) -> Callable[..., RenderedVideo]:
    def run(name: str = "30.mp4", settings: Settings = SETTINGS) -> RenderedVideo:
        return VideoPipeline(clip(name), WorkFolder(tmp_path, name, "key"), Finder(), settings, lambda _: None).mask()

    return run


def _on_one_frame(monkeypatch: pytest.MonkeyPatch, change: Callable[[Planes, Boxes, Style], list[Mask]]) -> None:
    """Paint the tenth painted frame differently; what is said to be painted stays true to the plan."""
    count = 0

    def painted(planes: Planes, boxes: Boxes, style: Style) -> list[Mask]:
        nonlocal count
        count += 1
        return change(planes, boxes, style) if count == 10 else paint(planes, boxes, style)

    monkeypatch.setattr(render_pass, "paint", painted)


def _copy(planes: Planes) -> Planes:
    return Planes([np.array(plane) for plane in planes.planes], *planes[1:])


@pytest.mark.parametrize("style", Style)
def test_mask_that_is_missing_on_one_frame_is_found(
    run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch, style: Style
) -> None:
    _on_one_frame(monkeypatch, lambda planes, boxes, style: paint(_copy(planes), boxes, style))
    with pytest.raises(UnverifiedError, match="mask of frame 9 "):
        run(settings=replace(SETTINGS, hide=replace(SETTINGS.hide, style=style)))


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("shift", [(20, 0), (0, 14), (0, -16)])
def test_mask_that_is_shifted_on_one_frame_is_found(
    run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch, style: Style, shift: tuple[int, int]
) -> None:
    def shifted(planes: Planes, boxes: Boxes, style: Style) -> list[Mask]:
        told = paint(_copy(planes), boxes, style)
        x, y = shift
        moved = [(kind, PixelBox(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y)) for kind, box in boxes]
        paint(planes, moved, style)
        return told

    _on_one_frame(monkeypatch, shifted)
    with pytest.raises(UnverifiedError, match="mask of frame 9 "):
        run(settings=replace(SETTINGS, hide=replace(SETTINGS.hide, style=style)))


def test_mask_that_is_missing_in_colour_only_is_found(
    run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faces and plates can be told by their colours alone."""

    def colourful(planes: Planes, boxes: Boxes, style: Style) -> list[Mask]:
        before = [np.array(plane) for plane in planes.planes]
        told = paint(planes, boxes, style)
        for plane, content in zip(planes.planes[1:], before[1:], strict=True):
            plane[:] = content
        return told

    _on_one_frame(monkeypatch, colourful)
    with pytest.raises(UnverifiedError):
        run()


Spoil = Callable[[list[Any]], list[Any]]


def _assembled_differently(monkeypatch: pytest.MonkeyPatch, spoil: Spoil) -> None:
    """Pass the packets of the assembled video through `spoil`."""
    assemble = concat.concatenate

    def changed(parts: list[Path], target: Path, time_base: Fraction, end: int) -> None:
        whole = target.with_name("whole.mp4")
        assemble(parts, whole, time_base, end)
        with av.open(str(whole)) as source, av.open(str(target), "w") as file:
            stream = file.add_stream_from_template(source.streams.video[0])
            stream.time_base = source.streams.video[0].time_base
            for packet in spoil([packet for packet in source.demux(video=0) if packet.size]):
                packet.stream = stream
                file.mux(packet)

    monkeypatch.setattr(concat, "concatenate", changed)


def _later(packets: list[Any]) -> list[Any]:
    for packet in packets:
        step = round(Fraction(1, 100) / packet.time_base)
        packet.pts, packet.dts = packet.pts + step, packet.dts + step
    return packets


def _one_later(packets: list[Any]) -> list[Any]:
    packets[-1].pts += round(Fraction(1, 100) / packets[-1].time_base)
    return packets


def _spoilt_bytes(packets: list[Any]) -> list[Any]:
    place = next(number for number, packet in enumerate(packets) if number > 5 and packet.is_keyframe)
    old = packets[place]
    packet = av.Packet(bytes(memoryview(old))[:40] + np.random.default_rng(1).bytes(old.size - 40))
    packet.pts, packet.dts, packet.time_base, packet.is_keyframe = old.pts, old.dts, old.time_base, True
    return [*packets[:place], packet, *packets[place + 1 :]]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda packets: packets[:-1], "35 frames instead of 36"),
        (_one_later, "Frame 35 of the finished file is at"),
        (_later, "Frame 0 of the finished file is at"),
        (_spoilt_bytes, "cannot be decoded|mask of frame"),
    ],
)
def test_wrong_frames_are_found(
    run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch, spoil: Spoil, words: str
) -> None:
    _assembled_differently(monkeypatch, spoil)
    with pytest.raises(UnverifiedError, match=words):
        run()


def _remuxed_with(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Let ffmpeg do one thing more to the finished file. {source} is the path of the source."""
    original = remux.remux

    def changed(assembled: Path, source: Path, target: Path, *rest: Any) -> None:
        original(assembled, source, target, *rest)
        whole = target.rename(target.with_name("whole.mp4"))
        clips.ffmpeg("-i", whole, *(text.format(source=source) for text in arguments), "-f", "mp4", target)

    monkeypatch.setattr(remux, "remux", changed)


SECOND_VIDEO = (("-i", "{source}", "-map", "0:v", "-map", "1:v", "-c", "copy"), "video")
NO_VIDEO = (("-f", "lavfi", "-i", "sine=duration=1", "-map", "1:a"), "video")


def test_untouched_remux_passes(run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness itself spoils nothing."""
    _remuxed_with(monkeypatch, "-c", "copy")
    assert run("sound.mp4").checks.frames == 36


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-i", "{source}", "-map", "0:v", "-map", "1:a", "-c", "copy"), "video, audio|audio, video"),
        SECOND_VIDEO,
        NO_VIDEO,
    ],
)
def test_stream_that_nobody_chose_is_found(
    run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    _remuxed_with(monkeypatch, *arguments)
    with pytest.raises(UnverifiedError, match=words):
        run("sound.mp4")


def test_sound_that_is_late_is_found(run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch) -> None:
    _remuxed_with(monkeypatch, "-itsoffset", "0.2", "-i", "{source}", "-map", "0:v", "-map", "1:a", "-c", "copy")
    with pytest.raises(UnverifiedError, match=r"Audio .* runs from"):
        run("sound.mp4", replace(SETTINGS, audio=Keep.KEEP))


def test_sound_that_is_cut_short_is_found(run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch) -> None:
    _remuxed_with(monkeypatch, "-t", "0.6", "-i", "{source}", "-map", "0:v", "-map", "1:a", "-c", "copy")
    with pytest.raises(UnverifiedError):
        run("sound.mp4", replace(SETTINGS, audio=Keep.KEEP))


LAST_FRAME_LONG = "setts=duration=if(eq(N\\,35)\\,DURATION*40\\,DURATION)"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-c", "copy", "-bsf:v", LAST_FRAME_LONG), "claims .* s of video instead of"),
        (("-c", "copy", "-aspect", "1:1"), "pixels of the shape"),
    ],
)
def test_a_header_that_lies_is_found(
    run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    _remuxed_with(monkeypatch, *arguments)
    with pytest.raises(UnverifiedError, match=words):
        run()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("h264_metadata=colour_primaries=9", "Frame 0 .* primaries=9"),
        ("h264_metadata=transfer_characteristics=16", "Frame 0 .* transfer=16"),
        ("h264_metadata=matrix_coefficients=9", "Frame 0 .* matrix=9"),
        ("h264_metadata=video_full_range_flag=1", r"Frame 0 of .* Color\(range=2"),
        ("h264_metadata=chroma_sample_loc_type=2", "chroma at topleft instead of left"),
    ],
)
def test_a_tag_that_lies_is_found(
    run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch, change: str, words: str
) -> None:
    _remuxed_with(monkeypatch, "-c", "copy", "-bsf:v", change)
    with pytest.raises(UnverifiedError, match=words):
        run()


def test_fields_that_became_progressive_are_found(
    run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure = encode._configure
    monkeypatch.setattr(encode, "_configure", lambda *whole: configure(whole[0], replace(whole[1], field_order="")))
    with pytest.raises(UnverifiedError, match="progressive pictures instead of top fields first"):
        run("interlaced.mp4")


def test_hdr_metadata_that_was_lost_is_found(
    run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StaticMetadata, "parameters", lambda *_: iter(()))
    with pytest.raises(UnverifiedError, match=r"Frame 0 of .* instead of .*G\(13250,34500\)"):
        run("hdr.mp4")


def test_metadata_that_nobody_chose_is_found(
    run: Callable[..., RenderedVideo], monkeypatch: pytest.MonkeyPatch
) -> None:
    _remuxed_with(monkeypatch, "-c", "copy", "-metadata", f"location={clips.LOCATION}")
    with pytest.raises(UnverifiedError):
        run()


def test_checks_tell_what_was_looked_at(run: Callable[..., RenderedVideo]) -> None:
    finished = run()
    assert finished.checks.frames == finished.checks.frames_looked_at == 36
    assert finished.checks.masks_looked_at == sum(len(track.boxes) for track in finished.tracks) > 30
    assert 0 < finished.checks.worst_mask < 8
