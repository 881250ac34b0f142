"""One unique, rising time for every packet, also where a file has none, the same one twice, or starts anew.

Times are integer ticks of the stream's time base.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import count, takewhile
from typing import NamedTuple

from dashredact.text import plural

_MAX_STEP_BACK = 1  # seconds by which the decode times of a recorder may jump back where no recording ends


class StoredTime(NamedTuple):
    """What a container says of a packet."""

    pts: int | None
    dts: int | None
    key: bool


class PacketTimes(NamedTuple):
    pts: tuple[int, ...]
    """unique"""
    regular: bool
    """whether they are the stored ones, and identify the packets"""
    restarts: int
    """how often the times start anew"""
    leading: int
    """packets without a time that were placed before the first"""
    irregularities: tuple[str, ...]
    """what was found, for people"""


def packet_times(stored: Sequence[StoredTime], time_base: Fraction, rate: Fraction | None) -> PacketTimes:
    """rate: frames a second, as stated.

    Where a recording begins anew (`cat a.ts b.ts`), it goes on one frame after the end of the one before. A packet
    without a time follows one frame after the one before it; one with the time of another is moved by a tick. Those
    right behind the first key frame are what a cut has left of the group before it: they lie before the beginning.
    """
    step = max(round(1 / (rate * time_base)), 1) if rate else max(round(Fraction(1, 25) / time_base), 1)
    leading = _leading(stored)
    pts: list[int] = []
    missing = restarts = first_restart = offset = 0
    highest: int | None = None
    before: StoredTime | None = None
    for number, time in enumerate(stored):
        if 0 < number <= leading:
            pts.append(pts[0] - step * (leading + 1 - number))
            continue
        if before and highest is not None and _starts_anew(before, time, time_base):
            began = time.pts if time.pts is not None else time.dts
            offset, restarts = highest + step - (began or 0), restarts + 1
            first_restart = first_restart or highest + step
        before = _newest(before, time)
        presented = time.pts if time.pts is not None else time.dts
        if presented is None:
            missing += 1
            presented = 0 if highest is None else highest + step
        else:
            presented += offset
        pts.append(presented)
        highest = presented if highest is None else max(highest, presented)
    repeated = len(pts) - len(set(pts))
    irregularities = []
    if restarts:
        at = float(first_restart * time_base)
        irregularities.append(
            f"its times start anew {plural(restarts, 'time')}, the first at {at:.2f} s, as if recordings were put one"
            " behind the other; they go on without a gap"
        )
    if missing:
        stated = f"its stated rate of {float(rate):g} frames/s" if rate else "25 frames/s, for it states no rate"
        irregularities.append(f"{missing} of {plural(len(pts), 'frame')} have no time, and are placed by {stated}")
    if repeated:
        irregularities.append(f"{plural(repeated, 'frame')} had the time of another, and are moved by a tick")
    regular = not irregularities and all(time.pts is not None for time in stored)
    return PacketTimes(tuple(_unique(pts)), regular, restarts, leading, tuple(irregularities))


def _leading(stored: Sequence[StoredTime]) -> int:
    """How many packets without a time stand right behind a first key frame that has one."""
    if not stored or not stored[0].key or stored[0].pts is None:
        return 0
    return sum(1 for _ in takewhile(lambda time: time.pts is None and time.dts is None, stored[1:]))


def _starts_anew(before: StoredTime, time: StoredTime, time_base: Fraction) -> bool:
    """before: DTS of the packet before, PTS of the key frame before. Only decode times rise from packet to packet."""
    if time.dts is not None and before.dts is not None:
        step_back = before.dts - time.dts
        return step_back > 0 and (time.key or step_back * time_base > _MAX_STEP_BACK)
    return time.key and time.pts is not None and before.pts is not None and time.pts < before.pts


def _newest(before: StoredTime | None, time: StoredTime) -> StoredTime:
    """DTS of this packet, PTS of the last key frame."""
    return StoredTime(time.pts if time.key or before is None else before.pts, time.dts, time.key)


def _unique(times: Iterable[int]) -> Iterable[int]:
    taken: set[int] = set()
    for time in times:
        free = next(later for later in count(time) if later not in taken)
        taken.add(free)
        yield free
