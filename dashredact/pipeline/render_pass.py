"""Pass two: decode again, paint the tracks, encode. A segment's part exists only whole."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

from av.video.frame import VideoFrame

from dashredact.errors import MediaError
from dashredact.imaging.boxes import PixelBox, round_outward
from dashredact.imaging.mosaic import Mask, Planes, paint
from dashredact.media import encode as encoders
from dashredact.media import images as frame_images
from dashredact.media import reader as frame_reader
from dashredact.media.images import Frame
from dashredact.media.info import Segment, VideoInfo
from dashredact.media.prefetch import prefetch
from dashredact.pipeline.stopwatch import Stopwatch
from dashredact.settings import RenderSettings
from dashredact.values import Kind, SegmentDetections, StageProgress, Track
from dashredact.workspace.work_folder import WorkFolder

_AHEAD = 4  # painted frames that may wait for the encoder


class RenderPass:
    """Paints and encodes the segments of one video; parts that are there already are kept."""

    def __init__(
        self, source: Path, info: VideoInfo, job: WorkFolder, settings: RenderSettings, watch: Stopwatch
    ) -> None:
        self._info, self._job, self._settings, self._watch = info, job, settings, watch
        self._reader = frame_reader.Reader(source, info)

    def hide(
        self,
        segments: Sequence[Segment],
        looks: Sequence[SegmentDetections],
        tracks: Sequence[Track],
        first: int,
        advance: StageProgress,
    ) -> None:
        """first: index of the first segment's first frame in the video."""
        with self._reader:
            for segment, look in zip(segments, looks, strict=True):
                if self._job.part(segment.index).exists() or not len(look.pts):
                    advance("hide", len(look.pts))
                else:
                    near = [track for track in tracks if track.first < first + len(look.pts) and track.end > first]
                    self._segment(segment, look, first, near, advance)
                first += len(look.pts)

    def _segment(
        self, segment: Segment, look: SegmentDetections, first: int, tracks: Sequence[Track], advance: StageProgress
    ) -> None:
        """first: index of the segment's first frame in the video."""
        masks: dict[int, list[Mask]] = {}
        decoded = self._watch.each("decode", self._same_frames(segment, look))
        head = next(decoded)
        how = encoders.encoder_settings(self._info, head.image, self._settings)

        def painted() -> Iterator[VideoFrame]:
            for number, frame in enumerate(chain([head], decoded), first):
                with self._watch.timed("paint"):
                    image, planes = frame_images.paintable(frame.image, how.pixel_format)
                    image.pts = frame.pts
                    masks[number] = paint(planes, _boxes(tracks, number, planes), self._settings.style)
                yield image
                advance("hide", 1)

        path = self._job.unfinished(segment.index)
        with self._watch.timed("encode"), closing(prefetch(painted(), _AHEAD)) as images:
            encoders.encode(path, images, how)
        self._job.save_part(segment.index, path, masks)
        advance("saved", 0)

    def _same_frames(self, segment: Segment, look: SegmentDetections) -> Iterator[Frame]:
        """The frames that pass one saw, no more and no less: only those have been looked at."""
        missing = look.pts.tolist()[::-1]
        for frame in self._reader.frames(segment):
            if not missing or frame.pts != missing.pop():
                raise self._differs()
            yield frame
        if missing:
            raise self._differs()

    def _differs(self) -> MediaError:
        return MediaError(f"{self._info.name}: its frames came out differently the second time; run it again.")


def _boxes(tracks: Sequence[Track], frame: int, planes: Planes) -> list[tuple[Kind, PixelBox]]:
    """What to paint on one frame."""
    return [
        (
            track.kind,
            round_outward(
                track.boxes[frame - track.first],
                planes.width,
                planes.height,
                planes.subsampling_x,
                planes.subsampling_y,
            ),
        )
        for track in tracks
        if track.first <= frame < track.end
    ]
