"""Shapes and places of what the network says, and how pictures get in."""

import numpy as np
import pytest
import torch

from dashredact.detect.dashnet import preprocess
from dashredact.detect.dashnet.network import PAD_VALUE, STRIDES, DashNet, points
from dashredact.kinds import SHIPPED_KINDS

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network() -> DashNet:
    torch.manual_seed(7)
    return DashNet((4, 8, 8, 8, 8), (1, 1, 1), 8).eval()


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (160, 64)])
@torch.inference_mode()
def test_every_point_has_scores_and_a_box(network: DashNet, height: int, width: int) -> None:
    candidates = network(torch.rand(2, 3, height, width) * 255)
    count = sum(height * width // stride**2 for stride in STRIDES)
    assert candidates.logits.shape == (2, count, len(SHIPPED_KINDS))
    assert candidates.boxes.shape == (2, count, 4)
    places = points(height, width, CPU)
    assert places.centres.shape == (count, 2)
    assert places.strides.shape == (count,)
    boxes = candidates.boxes[0]
    assert bool((boxes[:, :2] < places.centres).all())
    assert bool((boxes[:, 2:] > places.centres).all())


def test_points_lie_in_the_middle_of_their_cells_row_by_row() -> None:
    places = points(32, 64, CPU)
    assert places.centres[:3].tolist() == [[4.0, 4.0], [12.0, 4.0], [20.0, 4.0]]
    assert places.centres[8].tolist() == [4.0, 12.0]
    assert places.centres[-2:].tolist() == [[16.0, 16.0], [48.0, 16.0]]
    assert places.strides.tolist() == [8.0] * 32 + [16.0] * 8 + [32.0] * 2


@torch.inference_mode()
def test_folding_changes_nothing_but_the_layers() -> None:
    torch.manual_seed(3)
    network = DashNet((4, 8, 8, 8, 8), (1, 1, 1), 8)
    for _ in range(3):  # gives every BatchNorm a mean and a variance
        network.train()(torch.rand(2, 3, 64, 64) * 255)
    pixels = torch.rand(1, 3, 64, 64) * 255
    before = network.eval()(pixels)
    after = network.fold()(pixels)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    assert torch.allclose(before.logits, after.logits, atol=1e-3)
    assert torch.allclose(before.boxes, after.boxes, atol=1e-2)


@pytest.mark.parametrize(("size", "padded"), [((112, 192), (128, 192)), ((64, 96), (64, 96)), ((1, 33), (32, 64))])
def test_pictures_are_padded_to_the_right_and_below(size: tuple[int, int], padded: tuple[int, int]) -> None:
    pictures = [np.full((*size, 3), (10, 20, 30), np.uint8), np.full((*size, 3), 200, np.uint8)]
    batch = preprocess.batch(pictures, CPU, torch.float32)
    assert batch.shape == (2, 3, *padded)
    assert batch.dtype == torch.float32
    height, width = size
    assert batch[0, :, :height, :width].flatten(1).unique(dim=1).flatten().tolist() == [10, 20, 30]
    outside = torch.cat([batch[:, :, height:].flatten(), batch[:, :, :, width:].flatten()])
    assert bool((outside == PAD_VALUE).all())


def test_padding_reads_as_zero(network: DashNet) -> None:
    """The network subtracts what is padded with, so that a picture's edge is an edge like any other."""
    seen: list[torch.Tensor] = []
    hook = network.stem.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(preprocess.batch([np.zeros((32, 40, 3), np.uint8)], CPU, torch.float32))
    hook.remove()
    assert bool((seen[0][:, :, :, 40:] == 0).all())
    assert bool((seen[0][:, :, :, :40] != 0).all())
