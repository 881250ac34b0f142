"""Turns interlaced frames into progressive ones: as many, each at its own time."""

from collections import deque
from collections.abc import Iterator

import av
import av.filter
from av.video.frame import VideoFrame

from dashredact.media.images import Frame

_FILTER = "bwdif"
_OPTIONS = "mode=send_frame:deint=interlaced"  # frames that are progressive pass as they are


def deinterlaced(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Frames of one segment, in order. The filter looks at the frame before and after, so it is one frame behind."""
    waiting: deque[Frame] = deque()
    graph: av.filter.Graph | None = None
    for frame in frames:
        graph = graph or _graph(frame.image)
        waiting.append(frame)
        graph.push(frame.image)
        yield from _ready(graph, waiting)
    if graph is not None:
        graph.push(None)
        yield from _ready(graph, waiting)


def _graph(image: VideoFrame) -> "av.filter.Graph":
    graph = av.filter.Graph()
    graph.link_nodes(
        graph.add_buffer(width=image.width, height=image.height, format=image.format, time_base=image.time_base),
        graph.add(_FILTER, _OPTIONS),
        graph.add("buffersink"),
    ).configure()
    return graph


def _ready(graph: "av.filter.Graph", waiting: deque[Frame]) -> Iterator[Frame]:
    """The filter counts time in a unit of its own, but keeps the order."""
    while True:
        try:
            image = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(image, VideoFrame)
        before = waiting.popleft()
        image.pts = before.pts
        yield before._replace(image=image)
