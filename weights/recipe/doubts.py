"""Finds plates that the sets leave unmarked, so that training does not punish finding them.

The sets with plates miss some: far ones, cut ones, in places clear ones. What an earlier network is fairly sure of
there becomes an ignored box: neither learned nor punished.
"""

from collections.abc import Container
from dataclasses import replace

import click
import numpy as np
import torch
from torchvision.ops import box_iou
from tqdm import tqdm

from dashredact.detect.network import DashNet

from .data import CLASSES, Objects, Picture, join
from .measure import detect

_PLATE = CLASSES.index("plate")
_APART = 0.3


def doubted(net: DashNet, pictures: list[Picture], floor: float, sets: Container[str]) -> list[Picture]:
    """The pictures, with every unmarked plate of some sets that the network scores above floor as an ignored box."""
    result = [
        _doubted(net, picture, floor) if picture.dataset in sets else picture
        for picture in tqdm(pictures, desc="doubts", mininterval=10)
    ]
    added = sum(len(picture.objects.boxes) for picture in result) - sum(len(p.objects.boxes) for p in pictures)
    click.echo(f"{added} unmarked plates are ignored")
    return result


def _doubted(net: DashNet, picture: Picture, floor: float) -> Picture:
    found = detect(net, picture.pixels, floor)
    boxes = found.boxes[found.labels == _PLATE]
    marked = torch.from_numpy(picture.objects.boxes[picture.objects.labels == _PLATE])
    if len(marked) and len(boxes):
        boxes = boxes[box_iou(boxes, marked).amax(1) < _APART]
    extra = Objects(boxes.numpy(), np.full(len(boxes), _PLATE), np.ones(len(boxes), np.bool_))
    return replace(picture, objects=join([picture.objects, extra]))
