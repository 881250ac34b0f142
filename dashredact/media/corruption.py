"""Frames that decode, but onto wreckage: what was predicted from a spoilt frame may show things where they were before.

The decoder says nothing of them. The order of the packets does: from a spoilt frame on, nothing is sound until the next
key frame, and where that is no clean start, until the one behind it.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import NamedTuple

from av.video.frame import PictureType, VideoFrame

from dashredact.media.info import PacketIndex

_MOST = 32  # frames held back: twice what any codec reorders; times may be hostile


class Frame(NamedTuple):
    pts: int
    image: VideoFrame
    """as stored, not yet upright"""
    sound: bool = True
    """False where it, or what it may have been predicted from, is spoilt or missing"""


class CorruptionFilter:
    """Of the frames of one decoder. Holds a frame back until those that were decoded before it have come out."""

    def __init__(self, packets: PacketIndex, complete: Callable[[], bool]) -> None:
        """complete: whether every packet ought to have given a frame by now."""
        self._pts, self._complete = packets.pts, complete
        self._group = list(accumulate(packets.keys, initial=0))[1:]  # number of the key frame that it follows
        self._key = {group: place for place, group in reversed(list(enumerate(self._group)))}
        self._place = {pts: place for place, pts in reversed(list(enumerate(self._pts)))}
        self._expected = sorted(packets.pts)  # also what is hidden: others may be predicted from it
        self._next: int | None = None  # in `_expected`
        self._broken: dict[tuple[int, bool], int] = {}  # first spoilt place, by group and whether it leads
        for place in reversed(packets.corrupt):
            for spoilt in (place + 1, place):  # the container names the packet in which it noticed, or the one before
                self._broken[self._group[min(spoilt, len(packets) - 1)], False] = spoilt
        self._until = self._reach()
        self._open = {self._group[place] for place in range(len(self._pts)) if self._leads(place)}
        self._refreshed: set[int] = set()  # groups that get clean part by part
        self._start, self._clean = -1, False  # the group in which decoding began, and whether it did on a whole picture

    def _reach(self) -> list[int]:
        """By place, the latest PTS decoded since the key frame: when that is out, so is all that it may depend on."""
        found: list[int] = []
        for place, pts in enumerate(self._pts):
            new = not place or self._group[place] != self._group[place - 1]
            found.append(pts if new else max(pts, found[-1]))
        return found

    def judged(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """frames: from a key frame on, by PTS."""
        waiting: deque[Frame] = deque()
        for frame in frames:
            self._note(frame)
            waiting.append(frame)
            while waiting and (len(waiting) > _MOST or self._awaited(waiting[0]) <= frame.pts):
                yield self._told(waiting.popleft())
        for frame in waiting:
            self._note_missing(self._awaited(frame) + 1)
        for frame in waiting:
            yield self._told(frame)

    def _awaited(self, frame: Frame) -> int:
        """PTS of the last frame that has to come out before it can be judged."""
        place = self._place.get(frame.pts)
        return frame.pts if place is None else self._until[place]

    def _note(self, frame: Frame) -> None:
        place = self._place.get(frame.pts)
        if place is None:
            return
        if self._next is None:
            key = self._pts[self._key[self._group[place]]]
            self._next, self._start = bisect_left(self._expected, min(key, frame.pts)), self._group[place]
        if place == self._key[self._group[place]]:
            self._note_key(self._group[place], whole=frame.image.pict_type == PictureType.I)
        self._note_missing(frame.pts)
        if self._next < len(self._expected) and self._expected[self._next] == frame.pts:
            self._next += 1
        if frame.image.is_corrupt:
            self._break(place)

    def _note_key(self, group: int, *, whole: bool) -> None:
        if not whole:
            self._refreshed.add(group)
        elif group == self._start:
            self._clean = True

    def _note_missing(self, before: int) -> None:
        while self._next is not None and self._next < len(self._expected) and self._expected[self._next] < before:
            if self._complete():
                self._break(self._place[self._expected[self._next]])
            self._next += 1

    def _break(self, place: int) -> None:
        group = self._group[place]  # where decoding begins, what leads lacks what came before: that spoils nothing else
        where = group, group == self._start and self._leads(place)
        self._broken[where] = min(self._broken.get(where, place), place)

    def _leads(self, place: int) -> bool:
        """Whether it is shown before its key frame: nothing that follows the key frame is predicted from it."""
        return self._pts[place] < self._pts[self._key[self._group[place]]]

    def _told(self, frame: Frame) -> Frame:
        place = self._place.get(frame.pts)
        if place is None:
            return frame._replace(sound=not frame.image.is_corrupt)
        group, leads = self._group[place], self._leads(place)
        spoilt = self._is_broken(group, place, leads=False) or self._inherits(group)
        if leads:
            spoilt |= self._is_broken(group, place, leads=True) or self._inherits(group - 1)
        return frame._replace(sound=not spoilt)

    def _inherits(self, group: int) -> bool:
        """Whether what is spoilt in the group before reaches into this one."""
        if (group - 1, False) not in self._broken:
            return False
        if group in self._refreshed:  # the run-up to it may be spoilt only because decoding began there
            return self._clean or group - 1 != self._start
        return group in self._open

    def _is_broken(self, group: int, place: int, *, leads: bool) -> bool:
        return self._broken.get((group, leads), place + 1) <= place
