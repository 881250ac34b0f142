"""The network of the default weights: single-stage, anchor-free, one score per class and point.

It turns pixels into candidates; it reads no files and applies no threshold. The layers are plain 3x3 and 1x1
convolutions: on CPUs these are faster than depthwise ones, and BatchNorm can be folded into them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

STRIDES = (8, 16, 32)
"""Distance between the points of each level, in input pixels. Height and width must be multiples of the last."""

PAD_VALUE = 114
"""Grey of padding. It is also the mean that the network subtracts, so padding becomes zero."""

SCALE = 58.0
"""Standard deviation of pictures of streets, 0..255, by which the network divides."""
_REACH = 2.0  # strides from the point to a side of the box, for a softplus output of 1


class Candidates(NamedTuple):
    """The output for every point, P = sum over strides of H*W/stride**2."""

    logits: Tensor
    """float32 (N, P, classes)"""
    boxes: Tensor
    """float32 (N, P, 4), x0 y0 x1 y1 in input pixels"""


class Points(NamedTuple):
    """The points of a picture, in the order of `Candidates`."""

    centres: Tensor
    """float32 (P, 2), x y in input pixels"""
    strides: Tensor
    """float32 (P,), input pixels"""


class ConvUnit(nn.Module):
    """Convolution, BatchNorm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        rectified: Tensor = F.relu(self.norm(self.conv(x)), inplace=True)
        return rectified

    def fold(self) -> None:
        """Merge the BatchNorm into the convolution: same output, one layer less. Inference only."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv, self.norm)
            self.norm = nn.Identity()


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = ConvUnit(channels, channels // 2, 1)
        self.expand = ConvUnit(channels // 2, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        deeper: Tensor = self.expand(self.squeeze(x))
        return x + deeper


def _stage(inputs: int, outputs: int, depth: int) -> nn.Sequential:
    return nn.Sequential(ConvUnit(inputs, outputs, 3, 2), *(Residual(outputs) for _ in range(depth)))


def _head(channels: int) -> nn.Sequential:
    separable = [ConvUnit(channels, channels, 3, groups=channels), ConvUnit(channels, channels, 1)]
    again = [ConvUnit(channels, channels, 3, groups=channels), ConvUnit(channels, channels, 1)]
    return nn.Sequential(*separable, *again)


class DashNet(nn.Module):
    """Stem of stride 4, three stages at `STRIDES`, top-down sums, one head per level.

    widths: channels of the two stem convolutions and the three stages. depths: residuals per stage.
    """

    def __init__(
        self,
        widths: Sequence[int] = (16, 32, 64, 128, 192),
        depths: Sequence[int] = (3, 4, 4),
        head: int = 64,
        classes: int = 2,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvUnit(3, widths[0], 3, 2), ConvUnit(widths[0], widths[1], 3, 2))
        self.stages = nn.ModuleList(
            _stage(inputs, outputs, depth)
            for inputs, outputs, depth in zip(widths[1:4], widths[2:5], depths, strict=True)
        )
        self.laterals = nn.ModuleList(nn.Conv2d(width, head, 1) for width in widths[2:5])
        self.heads = nn.ModuleList(_head(head) for _ in STRIDES)
        self.classify = nn.ModuleList(nn.Conv2d(head, classes, 1) for _ in STRIDES)
        self.regress = nn.ModuleList(nn.Conv2d(head, 4, 1) for _ in STRIDES)

    def forward(self, pixels: Tensor) -> Candidates:
        """pixels: (N, 3, H, W) RGB 0..255, any float dtype, H and W multiples of 32."""
        logits, boxes = [], []
        for level, features in enumerate(self._pyramid((pixels - PAD_VALUE) / SCALE)):
            height, width = features.shape[-2:]
            hidden = self.heads[level](features)
            reach = F.softplus(self.regress[level](hidden).float()) * STRIDES[level] * _REACH
            reach = reach.flatten(2).transpose(1, 2)
            centres = level_centres(height, width, STRIDES[level], pixels.device)
            logits.append(self.classify[level](hidden).float().flatten(2).transpose(1, 2))
            boxes.append(torch.cat((centres - reach[..., :2], centres + reach[..., 2:]), -1))
        return Candidates(torch.cat(logits, 1), torch.cat(boxes, 1))

    def _pyramid(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        rising: list[Tensor] = []
        for stage in self.stages:
            x = stage(x)
            rising.append(x)
        levels = [self.laterals[-1](rising[-1])]
        for lateral, features in zip(reversed(self.laterals[:-1]), reversed(rising[:-1]), strict=True):
            above = F.interpolate(levels[0], size=features.shape[-2:])
            levels.insert(0, lateral(features) + above)
        return levels

    def fold(self) -> "DashNet":
        """Switch to inference and merge every BatchNorm into its convolution, in place."""
        self.eval()
        for module in self.modules():
            if isinstance(module, ConvUnit):
                module.fold()
        return self


def level_centres(height: int, width: int, stride: int, device: torch.device) -> Tensor:
    """float32 (height * width, 2): x y of a level's points, row by row, in input pixels."""
    y, x = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij")
    return (torch.stack((x, y), -1).reshape(-1, 2).float() + 0.5) * stride


def points(height: int, width: int, device: torch.device) -> Points:
    """The points of an input of height x width pixels, in the order of `Candidates`."""
    levels = [level_centres(height // stride, width // stride, stride, device) for stride in STRIDES]
    strides = [
        torch.full((len(level),), float(stride), device=device) for level, stride in zip(levels, STRIDES, strict=True)
    ]
    return Points(torch.cat(levels), torch.cat(strides))
