"""The bound from a person's verdicts: against the textbook, against chance, and at its edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from dashredact.review.miss_bound import clopper_pearson_upper, frames_needed, miss_bound


def test_rule_of_three() -> None:
    """No miss in n frames: about 3 / n."""
    assert clopper_pearson_upper(0, 598) == pytest.approx(1 - 0.05 ** (1 / 598))
    told = miss_bound([0] * 598)
    assert told.most == pytest.approx(18.0, abs=0.02)
    assert (told.seen, told.missed, told.frames) == (0, 0, 598)
    assert told.sentence("plate") == "at most 18.0 missed plate-seconds per hour (95 %, 0 in 598 frames)"


@given(st.integers(1, 400), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_at_the_bound_so_few_hits_have_just_the_chance_that_is_left(of: int, data: st.DataObject, sure: float) -> None:
    hits = data.draw(st.integers(0, of - 1))
    assert binom.cdf(hits, of, clopper_pearson_upper(hits, of, sure)) == pytest.approx(1 - sure, rel=1e-6)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_more_misses_never_lower_the_bound_and_it_lies_above_what_was_seen(missed: list[int]) -> None:
    told = miss_bound(missed)
    assert told.most >= told.seen
    assert miss_bound([count + 1 for count in missed]).most > told.most or told.most == 3600 * max(missed)
    assert miss_bound([*missed, *missed]).seen == pytest.approx(told.seen)


@pytest.mark.parametrize("chances", [(0.97, 0.03), (0.9, 0.08, 0.02), (0.7, 0.1, 0.1, 0.1)])
def test_it_holds_in_95_of_100_draws(chances: tuple[float, ...]) -> None:
    chance = np.random.default_rng(7)
    truth = 3600 * sum(count * share for count, share in enumerate(chances))
    draws = chance.choice(len(chances), (2000, 120), p=chances)
    held = np.mean([miss_bound(draw.tolist()).most >= truth for draw in draws])
    assert held >= 0.94


def test_nothing_judged_proves_nothing() -> None:
    assert miss_bound([]).most == float("inf")
    assert clopper_pearson_upper(0, 0) == 1
    assert miss_bound([1, 1]).most == 3600


@pytest.mark.parametrize("most", [7200, 3600, 600, 36, 1])
def test_frames_needed_are_just_enough(most: float) -> None:
    frames = frames_needed(most)
    assert miss_bound([0] * frames).most <= most
    assert frames == 1 or miss_bound([0] * (frames - 1)).most > most


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer"):
        miss_bound([0, -1])
    with pytest.raises(ValueError, match="confidence"):
        miss_bound([0], 1.0)
    with pytest.raises(ValueError, match="proves"):
        frames_needed(0)
