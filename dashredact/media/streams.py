"""Selects what leaves the source besides the masked video. An allow list: streams that are not selected are dropped."""

from dataclasses import dataclass

from dashredact.media.info import Stream, StreamKind, VideoInfo
from dashredact.settings import Keep, Settings

_OUTPUT_CONTAINERS = {"mp4", "mov", "mkv", "ts"}
"""Containers that are kept; other sources become MP4."""

_MP4_AUDIO = {"aac", "mp3", "ac3", "eac3", "opus", "alac"}
_PCM = {"pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le"}
_COPYABLE_AUDIO = {
    "mp4": _MP4_AUDIO,
    "mov": {*_MP4_AUDIO, *_PCM, "pcm_mulaw", "pcm_alaw", "adpcm_ima_qt", "amr_nb"},
    "mkv": {*_MP4_AUDIO, *_PCM, "mp1", "mp2", "dts", "truehd", "vorbis", "flac", "tta", "wavpack"},
    "ts": {"aac", "mp3", "mp2", "ac3", "eac3"},
}
"""Audio codecs that a container can store, as far as its muxer knows; others are transcoded to AAC."""

_GPS_TAGS = {"gpmd"}
"""Tags of data streams that hold positions and that MP4 can store."""


@dataclass(frozen=True)
class StreamSelection:
    """The streams of the source, other than the masked video, that are kept and that are dropped."""

    container: str
    """of the output: mp4, mov, mkv or ts"""
    kept: tuple[Stream, ...]
    dropped: tuple[Stream, ...]

    def transcodes(self, stream: Stream) -> bool:
        """Whether a kept stream is encoded again because the container cannot store its codec."""
        return stream.kind is StreamKind.AUDIO and stream.codec not in _COPYABLE_AUDIO[self.container]


def select_streams(info: VideoInfo, settings: Settings) -> StreamSelection:
    """Audio and GPS streams are kept only if the settings say so; everything else is dropped."""
    container = info.container if info.container in _OUTPUT_CONTAINERS else "mp4"
    others = [stream for stream in info.streams if stream.index != info.video.index]
    kept = [stream for stream in others if _is_kept(stream, container, settings)]
    return StreamSelection(container, tuple(kept), tuple(stream for stream in others if stream not in kept))


def _is_kept(stream: Stream, container: str, settings: Settings) -> bool:
    if stream.kind is StreamKind.AUDIO:
        return settings.audio is Keep.KEEP and stream.codec != "unknown"
    is_gps = stream.kind is StreamKind.DATA and stream.tag in _GPS_TAGS
    return is_gps and settings.gps is Keep.KEEP and container in ("mp4", "mov")
