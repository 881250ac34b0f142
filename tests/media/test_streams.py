"""Only streams that the settings name are kept."""

import pytest

from dashredact.media.info import PacketIndex, Stream, StreamKind, VideoInfo, VideoStream
from dashredact.media.streams import select_streams
from dashredact.settings import Keep, Settings


def _info(container: str, *others: Stream) -> VideoInfo:
    video = VideoStream(0, StreamKind.VIDEO, "h264", width=16, height=16, pixel_format="yuv420p")
    packets = PacketIndex((0,), (True,), (True,))
    return VideoInfo("a.mp4", 1, container, video, (video, *others), 0, None, packets, None)


_EVERYTHING = (
    Stream(1, StreamKind.AUDIO, "aac", language="deu"),
    Stream(2, StreamKind.AUDIO, "unknown"),
    Stream(3, StreamKind.SUBTITLE, "mov_text"),
    Stream(4, StreamKind.DATA, "bin_data", "gpmd"),
    Stream(5, StreamKind.DATA, "none", "tmcd"),
    Stream(6, StreamKind.THUMBNAIL, "png"),
    Stream(7, StreamKind.ATTACHMENT, "ttf"),
    Stream(8, StreamKind.UNKNOWN, "unknown"),
    VideoStream(9, StreamKind.VIDEO, "h264"),
)


@pytest.mark.parametrize(
    ("container", "audio", "gps", "kept"),
    [
        ("mp4", Keep.DROP, Keep.DROP, []),
        ("mp4", Keep.KEEP, Keep.DROP, [1]),
        ("mp4", Keep.DROP, Keep.KEEP, [4]),
        ("mov", Keep.KEEP, Keep.KEEP, [1, 4]),
        ("mkv", Keep.KEEP, Keep.KEEP, [1]),
        ("avi", Keep.KEEP, Keep.KEEP, [1, 4]),
    ],
)
def test_only_chosen_streams_are_kept_and_every_other_is_told(
    container: str, audio: Keep, gps: Keep, kept: list[int]
) -> None:
    selection = select_streams(_info(container, *_EVERYTHING), Settings(audio=audio, gps=gps))
    assert [stream.index for stream in selection.kept] == kept
    assert sorted(stream.index for stream in (*selection.kept, *selection.dropped)) == list(range(1, 10))
    assert selection.container == (container if container != "avi" else "mp4")


@pytest.mark.parametrize(
    ("container", "codec", "encoded"),
    [
        ("mp4", "aac", False),
        ("mp4", "pcm_s16le", True),
        ("mov", "pcm_s16le", False),
        ("mp4", "vorbis", True),
        ("mkv", "vorbis", False),
        ("ts", "mp2", False),
        ("ts", "opus", True),
    ],
)
def test_sound_is_encoded_only_where_the_container_cannot_hold_it(container: str, codec: str, encoded: bool) -> None:
    sound = Stream(1, StreamKind.AUDIO, codec)
    selection = select_streams(_info(container, sound), Settings(audio=Keep.KEEP))
    assert selection.transcodes(sound) is encoded
