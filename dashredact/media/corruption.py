"""Recognises frames that decode without error but from corrupt references, and so may show what was there before.

The decoder does not report such frames. They follow from the order of the packets: after a corrupt or missing frame
nothing is intact until the next key frame, and if that one is not a clean start, until the one after it.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from itertools import accumulate

from av.video.frame import PictureType

from dashredact.media.images import Frame
from dashredact.media.info import PacketIndex

_MAX_DELAY = 32  # frames held back: twice what any codec reorders, as a bound for files with hostile times


class CorruptionFilter:
    """Marks the frames of one decoder that are not intact.

    A GOP here is a key frame and the packets up to the next one; packets and GOPs are numbered in file order. A leading
    frame is shown before its key frame: it may be predicted from the GOP before, and nothing after the key frame is
    predicted from it.
    """

    def __init__(self, packets: PacketIndex, gives_frame: Callable[[int], bool]) -> None:
        """gives_frame: whether a packet, by its number, of which no frame came should have given one."""
        self._pts, self._gives_frame = packets.pts, gives_frame
        self._gop = list(accumulate(packets.keys, initial=0))[1:]
        self._key_of = {gop: index for index, gop in reversed(list(enumerate(self._gop)))}
        self._index_of = {pts: index for index, pts in reversed(list(enumerate(self._pts)))}
        self._expected = sorted(packets.pts)  # including frames that an edit list hides: others depend on them
        self._next: int | None = None  # index into `_expected`
        self._corrupt_from: dict[tuple[int, bool], int] = {}  # first corrupt packet, by GOP and whether it is leading
        for reported in reversed(packets.corrupt):
            for index in (reported + 1, reported):  # the container reports the damaged packet or the one before it
                self._corrupt_from[self._gop[min(index, len(packets) - 1)], False] = index
        self._last_dependency = self._last_dependencies()
        self._open_gops = {self._gop[index] for index in range(len(self._pts)) if self._is_leading(index)}
        self._intra_refresh: set[int] = set()  # GOPs whose key frame is refreshed part by part
        self._first_gop, self._clean_start = -1, False  # where decoding began, and whether on an intra picture

    def _last_dependencies(self) -> list[int]:
        """By packet, the latest PTS decoded since its key frame: once it is out, so are all it may depend on."""
        latest: list[int] = []
        for index, pts in enumerate(self._pts):
            starts_gop = not index or self._gop[index] != self._gop[index - 1]
            latest.append(pts if starts_gop else max(pts, latest[-1]))
        return latest

    def filter(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """The same frames, marked. frames: of the decoder, from a key frame on, by PTS."""
        waiting: deque[Frame] = deque()
        for frame in frames:
            self._observe(frame)
            waiting.append(frame)
            while waiting and (len(waiting) > _MAX_DELAY or self._decidable_at(waiting[0]) <= frame.pts):
                yield self._marked(waiting.popleft())
        for frame in waiting:
            self._note_missing(self._decidable_at(frame) + 1)
        for frame in waiting:
            yield self._marked(frame)

    def _decidable_at(self, frame: Frame) -> int:
        """PTS of the last frame that must have come out before this one can be marked."""
        index = self._index_of.get(frame.pts)
        return frame.pts if index is None else self._last_dependency[index]

    def _observe(self, frame: Frame) -> None:
        index = self._index_of.get(frame.pts)
        if index is None:
            return
        gop = self._gop[index]
        if self._next is None:
            key_pts = self._pts[self._key_of[gop]]
            self._next, self._first_gop = bisect_left(self._expected, min(key_pts, frame.pts)), gop
        if index == self._key_of[gop]:
            self._observe_key_frame(gop, intra=frame.image.pict_type == PictureType.I)
        self._note_missing(frame.pts)
        if self._next < len(self._expected) and self._expected[self._next] == frame.pts:
            self._next += 1
        if frame.image.is_corrupt:
            self._note_corrupt(index)

    def _observe_key_frame(self, gop: int, *, intra: bool) -> None:
        if not intra:
            self._intra_refresh.add(gop)
        elif gop == self._first_gop:
            self._clean_start = True

    def _note_missing(self, before: int) -> None:
        """Every expected frame before this PTS should have come out by now."""
        while self._next is not None and self._next < len(self._expected) and self._expected[self._next] < before:
            index = self._index_of[self._expected[self._next]]
            if self._gives_frame(index):
                self._note_corrupt(index)
            self._next += 1

    def _note_corrupt(self, index: int) -> None:
        gop = self._gop[index]  # where decoding begins, leading frames lack their references, which affects no others
        key = gop, gop == self._first_gop and self._is_leading(index)
        self._corrupt_from[key] = min(self._corrupt_from.get(key, index), index)

    def _is_leading(self, index: int) -> bool:
        return self._pts[index] < self._pts[self._key_of[self._gop[index]]]

    def _marked(self, frame: Frame) -> Frame:
        index = self._index_of.get(frame.pts)
        if index is None:
            return frame._replace(intact=not frame.image.is_corrupt)
        gop = self._gop[index]
        corrupt = self._is_corrupt(gop, index, leading=False) or self._inherits_corruption(gop)
        if self._is_leading(index):
            corrupt |= self._is_corrupt(gop, index, leading=True) or self._inherits_corruption(gop - 1)
        return frame._replace(intact=not corrupt)

    def _inherits_corruption(self, gop: int) -> bool:
        """Whether corruption of the GOP before extends into this one."""
        if (gop - 1, False) not in self._corrupt_from:
            return False
        if gop in self._intra_refresh:  # the frames before it may be corrupt only because decoding began there
            return self._clean_start or gop - 1 != self._first_gop
        return gop in self._open_gops

    def _is_corrupt(self, gop: int, index: int, *, leading: bool) -> bool:
        return self._corrupt_from.get((gop, leading), index + 1) <= index
