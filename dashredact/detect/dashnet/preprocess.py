"""Makes a batch for the network. Padding is on the right and below, so boxes need only be clipped to the picture."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from dashredact.detect.dashnet.network import PAD_VALUE, STRIDES
from dashredact.values import Picture


def batch(pictures: Sequence[Picture], device: torch.device, dtype: torch.dtype) -> Tensor:
    """(N, 3, H, W) 0..255, channels last; H and W are rounded up to multiples of the network's largest stride.

    pictures: all of one size.
    """
    pixels = torch.from_numpy(np.stack(pictures)).to(device).permute(0, 3, 1, 2)
    height, width = pixels.shape[-2:]
    missing = (0, -width % STRIDES[-1], 0, -height % STRIDES[-1])
    return F.pad(pixels, missing, value=PAD_VALUE).to(dtype, memory_format=torch.channels_last)
