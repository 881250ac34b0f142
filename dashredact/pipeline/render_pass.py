"""Pass two: decode again, paint the tracks, encode. The part of a segment exists only when it is complete."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

from av.video.frame import VideoFrame

from dashredact.errors import MediaError
from dashredact.imaging.boxes import PixelBox, round_outward
from dashredact.imaging.mosaic import Mask, Planes, paint
from dashredact.kinds import Kind
from dashredact.media import encode as encoders
from dashredact.media import images as frame_images
from dashredact.media import reader as frame_reader
from dashredact.media.deinterlace import deinterlaced
from dashredact.media.form import Form
from dashredact.media.images import Frame
from dashredact.media.info import Segment, VideoInfo
from dashredact.media.prefetch import prefetch
from dashredact.pipeline.stopwatch import Stopwatch
from dashredact.settings import RenderSettings
from dashredact.values import SegmentDetections, StageProgress, Track
from dashredact.workspace.work_folder import WorkFolder

_FRAMES_AHEAD = 4  # painted while the encoder works on an earlier frame


class RenderPass:
    """Paints and encodes the segments of one video. Segments whose parts exist are skipped."""

    def __init__(
        self,
        source: Path,
        info: VideoInfo,
        work: WorkFolder,
        settings: RenderSettings,
        stopwatch: Stopwatch,
        form: Form,
    ) -> None:
        """form: of the output."""
        self._form = form
        self._info, self._work, self._settings, self._stopwatch = info, work, settings, stopwatch
        self._reader = frame_reader.Reader(source, info)

    def run(
        self,
        segments: Sequence[Segment],
        detections: Sequence[SegmentDetections],
        tracks: Sequence[Track],
        first_frame: int,
        advance: StageProgress,
    ) -> None:
        """detections: of each segment. first_frame: index in the video of the first frame of the first segment."""
        with self._reader:
            for segment, own in zip(segments, detections, strict=True):
                end = first_frame + len(own.pts)
                if self._work.part(segment.index).exists() or not len(own.pts):
                    advance("render", len(own.pts))
                else:
                    visible = [track for track in tracks if track.first < end and track.end > first_frame]
                    self._render(segment, own, first_frame, visible, advance)
                first_frame = end

    def _render(
        self,
        segment: Segment,
        detections: SegmentDetections,
        first_frame: int,
        tracks: Sequence[Track],
        advance: StageProgress,
    ) -> None:
        masks: dict[int, list[Mask]] = {}
        frames = self._same_frames(segment, detections)
        decoded = self._stopwatch.each("decode", deinterlaced(frames) if self._settings.deinterlace else frames)
        head = next(decoded)
        settings = encoders.encoder_settings(self._info, head.image, self._settings, self._form)

        def painted() -> Iterator[VideoFrame]:
            for index, frame in enumerate(chain([head], decoded), first_frame):
                with self._stopwatch.timed("paint"):
                    image, planes = frame_images.paintable(frame.image, settings.pixel_format, settings.color)
                    image.pts = frame.pts - self._info.origin
                    masks[index] = paint(planes, _boxes(tracks, index, planes), self._settings.style)
                yield image
                advance("render", 1)

        path = self._work.temporary_part(segment.index)
        with self._stopwatch.timed("encode"), closing(prefetch(painted(), _FRAMES_AHEAD)) as images:
            encoders.encode(path, images, settings)
        self._work.save_part(segment.index, path, masks)
        advance("saved", 0)

    def _same_frames(self, segment: Segment, detections: SegmentDetections) -> Iterator[Frame]:
        """Exactly the frames of pass one: on any other frame, nothing was detected."""
        remaining = detections.pts.tolist()[::-1]
        for frame in self._reader.frames(segment):
            if not remaining or frame.pts != remaining.pop():
                raise self._changed()
            yield frame
        if remaining:
            raise self._changed()

    def _changed(self) -> MediaError:
        return MediaError(
            f"{self._info.name}: the second pass decoded other frames than the first; if nobody changed the file"
            " meanwhile, please report it."
        )


def _boxes(tracks: Sequence[Track], frame: int, planes: Planes) -> list[tuple[Kind, PixelBox]]:
    """What to paint on one frame."""
    geometry = (planes.width, planes.height, planes.subsampling_x, planes.subsampling_y)
    return [
        (track.kind, round_outward(track.boxes[frame - track.first], *geometry))
        for track in tracks
        if track.first <= frame < track.end
    ]
