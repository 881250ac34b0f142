"""Turns a trained network into a larger one that answers the same, so that its training is not lost.

After Net2Net (Chen, Goodfellow, Shlens 2016): what was there keeps its weights, new channels are not listened to yet,
new residuals add nothing yet. Training then finds a use for both.
"""

import torch
from torch import Tensor

from dashredact.detect.dashnet.network import DashNet, Residual


@torch.no_grad()
def grow(small: dict[str, Tensor], net: DashNet) -> DashNet:
    """Fill a fresh network, nowhere narrower or shallower, from the state of a smaller one."""
    for name, module in net.named_modules():
        if isinstance(module, Residual) and f"{name}.expand.conv.weight" not in small:
            module.expand.norm.weight.zero_()  # type: ignore[operator]
    for name, value in net.state_dict().items():
        if name in small:
            _fill(value, small[name])
    return net


def _fill(value: Tensor, old: Tensor) -> None:
    """Copy old into the first rows and columns of value, in place; the rows it comes from ignore what is new."""
    if value.ndim < 2:
        value[tuple(slice(side) for side in old.shape)] = old
        return
    rows, columns = old.shape[:2]
    value[:rows] = 0
    value[:rows, :columns] = old
