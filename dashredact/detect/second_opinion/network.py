"""The network of the second opinion: a small classifier of crops. It reads no files and applies no threshold."""

from collections.abc import Sequence

from torch import Tensor, nn

from dashredact.detect.dashnet.network import PAD_VALUE, SCALE, ConvUnit


class CropNet(nn.Module):
    """Stages of two 3x3 convolutions with 2x2 pooling between them, then the mean over the crop.

    widths: channels of each stage. classes: of the detector; one more output, the first, stands for neither.
    """

    def __init__(self, widths: Sequence[int] = (24, 48, 96, 128), classes: int = 2) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for inputs, outputs in zip((3, *widths[:-1]), widths, strict=True):
            stages += [ConvUnit(inputs, outputs), ConvUnit(outputs, outputs), nn.MaxPool2d(2)]
        self.stages = nn.Sequential(*stages[:-1])
        self.classify = nn.Linear(widths[-1], 1 + classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N, 1 + classes) of crops (N, 3, S, S), RGB 0..255, any float dtype, S a multiple of 8."""
        features: Tensor = self.stages((pixels - PAD_VALUE) / SCALE).mean((2, 3))
        logits: Tensor = self.classify(features).float()
        return logits

    def fold(self) -> "CropNet":
        """Switch to inference and merge every BatchNorm into its convolution, in place."""
        self.eval()
        for module in self.modules():
            if isinstance(module, ConvUnit):
                module.fold()
        return self
