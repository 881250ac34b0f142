"""What a network in memory finds on the pictures held out, judged by the arithmetic of `dashredact evaluate`.

Pictures go in at their size in memory, padded, never enlarged. A file of weights is measured by the command itself.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torchvision.ops import batched_nms
from tqdm import tqdm

from dashredact.detect.dashnet import preprocess
from dashredact.detect.dashnet.engines.torch import cpu_has_bfloat16
from dashredact.detect.dashnet.network import DashNet
from dashredact.evaluate.datasets import Dataset, Image
from dashredact.evaluate.run import LOWEST_SCORE, EvaluatedSet
from dashredact.kinds import KINDS, Kind
from dashredact.settings import TrackSettings
from dashredact.values import Detections

from .data import CLASSES, LONG_SIDE, Picture, Pixels, Role
from .grow import grow

_OVERLAP = 0.5
_KINDS = np.array([KINDS.index(Kind(label)) for label in CLASSES], np.int8)  # of classes


@torch.inference_mode()
def detect(net: DashNet, pixels: Pixels, floor: float = LOWEST_SCORE) -> Detections:
    """pixels (H, W, 3) RGB; overlapping boxes of a class are reduced to the best."""
    device = next(net.parameters()).device
    with autocast(device):
        logits, boxes = net(preprocess.batch([pixels], device, torch.float32))
    scores, labels = logits[0].sigmoid().max(1)
    keep = scores > floor
    boxes, scores, labels = boxes[0][keep].float(), scores[keep].float(), labels[keep]
    best = batched_nms(boxes, scores, labels, _OVERLAP)
    kinds = _KINDS[labels[best].cpu().numpy()]
    return Detections(np.zeros(len(kinds), np.int32), kinds, boxes[best].cpu().numpy(), scores[best].cpu().numpy())


def look(net: DashNet, pictures: Sequence[Picture]) -> list[Detections]:
    return [detect(net, picture.pixels) for picture in tqdm(pictures, desc="measure", mininterval=10)]


def judged(
    pictures: Sequence[Picture], found: Sequence[Detections], thresholds: dict[Kind, float]
) -> Iterator[EvaluatedSet]:
    """By set. pictures: sets one after the other."""
    pairs = zip(pictures, found, strict=True)
    for name, group in groupby(pairs, key=lambda pair: pair[0].dataset):
        own, seen = zip(*group, strict=True)
        kinds = frozenset(Kind(label) for label, known in zip(CLASSES, own[0].complete, strict=True) if known)
        yield EvaluatedSet(Dataset(name, kinds, tuple(map(_image, own))), seen, TrackSettings(thresholds), LONG_SIDE)


def _image(picture: Picture) -> Image:
    """In pixels of the picture in memory."""
    height, width = picture.pixels.shape[:2]
    marked = picture.objects.select(picture.objects.roles != Role.CLUTTER)
    boxes, kinds = marked.boxes.astype(np.float64), _KINDS[marked.labels]
    names = ("",) * len(boxes)
    return Image(Path(picture.file), picture.file, width, height, boxes, kinds, marked.roles == Role.IGNORED, names)


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16, but for processors that would emulate it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type != "cpu" or cpu_has_bfloat16())


def read_network(path: Path) -> DashNet:
    """A network with the state of a file: a checkpoint's running average, or weights; smaller ones are grown."""
    if path.suffix == ".safetensors":
        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = state.get("ema", state)
    return channels_last(grow(state, DashNet()).eval())


def channels_last(net: DashNet) -> DashNet:
    """The same network with its kernels laid out as the fast convolutions want them."""
    net.to(memory_format=torch.channels_last)
    return net
