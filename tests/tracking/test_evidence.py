"""A track is believed the more, the better and the more often its object was detected."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashredact.kinds import KINDS, Kind
from dashredact.settings import Caution
from dashredact.tracking.evidence import chance

_scores = st.lists(st.floats(0.1875, 1.0, width=32), min_size=1, max_size=12)


@given(st.sampled_from(KINDS), _scores)
def test_a_chance_is_one(kind: Kind, scores: list[float]) -> None:
    assert 0 < chance(kind.row.evidence, np.array(scores, np.float32)) < 1


@given(st.sampled_from(KINDS), _scores, st.floats(0.1875, 1.0, width=32))
def test_one_more_detection_never_makes_it_less_likely(kind: Kind, scores: list[float], more: float) -> None:
    assert (
        chance(kind.row.evidence, np.array([*scores, more], np.float32))
        >= chance(kind.row.evidence, np.array(scores, np.float32)) - 1e-9
    )


@given(st.sampled_from(KINDS), _scores, st.integers(0, 11), st.floats(0, 0.5))
def test_a_better_score_never_makes_it_less_likely(kind: Kind, scores: list[float], which: int, by: float) -> None:
    better = list(scores)
    better[which % len(scores)] = min(better[which % len(scores)] + by, 1.0)
    assert (
        chance(kind.row.evidence, np.array(better, np.float32))
        >= chance(kind.row.evidence, np.array(scores, np.float32)) - 1e-9
    )


@pytest.mark.parametrize("kind", [Kind.FACE, Kind.PLATE])
def test_what_is_sure_is_believed_at_every_caution_and_one_weak_sight_at_none(kind: Kind) -> None:
    sure, weak = np.full(5, 0.9, np.float32), np.array([0.2], np.float32)
    assert all(chance(kind.row.evidence, sure) >= level.believed > chance(kind.row.evidence, weak) for level in Caution)


def test_more_caution_believes_more() -> None:
    assert Caution.HIGH.believed < Caution.NORMAL.believed < Caution.LOW.believed
