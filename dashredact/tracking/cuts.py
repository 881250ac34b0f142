"""Cuts, told from how much each frame differs from the one before it."""

import numpy as np

from dashredact.values import Array

_LEAST = 15.0  # grey levels, mean over the picture
_FACTOR = 3.0  # by which it is more than on any of the frames around it
_AROUND = 2  # frames on either side: a flash differs from both


def cuts(changes: Array) -> tuple[int, ...]:
    """The frames that begin another scene. changes: (frames,) mean difference of each from the one before."""
    around = np.pad(changes, _AROUND)
    others = [around[shift : shift + len(changes)] for shift in range(2 * _AROUND + 1) if shift != _AROUND]
    most = np.max(others, axis=0) if len(changes) else np.empty(0)
    return tuple(np.flatnonzero((changes >= _LEAST) & (changes >= _FACTOR * most)).tolist())
