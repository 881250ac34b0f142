"""Training: what is asked of which point, what is ignored, and that a run can go on after an interruption."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dashredact.detect.dashnet.network import Candidates, points

pytest.importorskip("weights.recipe.loss", reason="runs from the root of the repository only")
from weights.recipe import assign, loss, trainer

_POINTS = points(64, 96, torch.device("cpu"))


def _out(score: float, box: tuple[float, ...]) -> Candidates:
    count = len(_POINTS.centres)
    logits = torch.full((1, count, 2), score, requires_grad=True)
    return Candidates(logits, torch.tensor(box).expand(1, count, 4))


def _truth(box: tuple[float, ...], ignore: bool = False) -> loss.Truth:
    return loss.Truth(torch.tensor([box]), torch.tensor([1]), torch.tensor([int(ignore)], dtype=torch.int8))


_BOX = (20.0, 20.0, 52.0, 36.0)


def test_only_points_near_an_object_answer_for_it() -> None:
    boxes = torch.tensor(_BOX).expand(len(_POINTS.centres), 4)
    scores = torch.full((len(boxes), 2), 0.5)
    found = assign.assign(scores, boxes, _POINTS, torch.tensor([_BOX]), torch.tensor([1]))
    taken = _POINTS.centres[found.owner >= 0]
    assert 2 <= len(taken) <= 10
    assert (taken - torch.tensor([36.0, 28.0])).abs().amax(1).max() < 2.5 * 32
    assert found.target.max() == pytest.approx(1.0)
    assert (found.target[found.owner < 0] == 0).all()


def test_without_objects_no_point_answers() -> None:
    scores, boxes = torch.zeros(len(_POINTS.centres), 2), torch.zeros(len(_POINTS.centres), 4)
    found = assign.assign(scores, boxes, _POINTS, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    assert (found.owner == -1).all() and (found.target == 0).all()


def test_a_fitting_box_costs_nothing_and_a_shifted_one_does() -> None:
    fits = loss.losses(_out(0.0, _BOX), _POINTS, [_truth(_BOX)])
    shifted = loss.losses(_out(0.0, (24.0, 22.0, 56.0, 38.0)), _POINTS, [_truth(_BOX)])
    assert float(fits.box) == pytest.approx(0, abs=1e-5) and float(shifted.box) > 0.05


def test_an_ignored_object_neither_pulls_nor_pushes() -> None:
    out = _out(0.0, _BOX)
    loss.losses(out, _POINTS, [_truth((0.0, 0.0, 96.0, 64.0), ignore=True)]).score.backward()
    pulls = out.logits.grad
    assert pulls is not None
    assert (pulls[..., 1] == 0).all()
    assert (pulls[..., 0] > 0).all()  # of the other class nothing is there: pushed down


def _batch() -> trainer.Batch:
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 90, (2, *trainer.CANVAS, 3), dtype=np.uint8)
    pixels[:, 50:70, 100:160] = 240
    boxes = torch.tensor([[100.0, 50.0, 160.0, 70.0]] * 2)
    return torch.from_numpy(pixels), boxes, torch.tensor([1, 1]), torch.tensor([False, False]), [1, 1]


def _options(run: Path) -> trainer.Options:
    return trainer.Options(
        data=run, run=run, out=None, start=None, resume=False, minutes=1e6, steps=500, batch=2, rate=3e-3,
        workers=0, threads=1, device="cpu", seed=1,
    )  # fmt: skip


@pytest.mark.slow
def test_a_run_learns_and_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "CANVAS", (192, 320))  # a quarter of the real one
    torch.manual_seed(1)
    first = trainer.Trainer(_options(tmp_path))
    lost = [float(sum(first.learn(_batch()))) for _ in range(12)]
    assert np.mean(lost[-3:]) < 0.8 * np.mean(lost[:3])
    first.save()
    again = trainer.Trainer(replace(_options(tmp_path), resume=True))
    again.restore()
    assert (again.step, again.seen) == (12, 24)
    for one, other in ((first.net, again.net), (first.average, again.average)):
        ours, theirs = one.state_dict(), other.state_dict()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    further, resumed = first.learn(_batch()), again.learn(_batch())
    assert float(resumed.score) == pytest.approx(float(further.score), rel=1e-3)


def test_the_rate_warms_up_and_falls_to_almost_nothing() -> None:
    assert trainer.schedule(0, 0.0) < 0.01
    assert trainer.schedule(1000, 0.1) > trainer.schedule(1000, 0.5) > trainer.schedule(1000, 1.0) > 0
