"""Licence plates with invented numbers, European (520 x 110 mm) and Japanese (330 x 165 mm) in look."""

from dataclasses import dataclass

import numpy as np

from .raster import Colour, Floats, Pixels, draw_text, mix, premultiply, soft_box

_SCALE = 1.5  # texture pixels per millimetre
_REGION = "TEST 500"  # the small top line of the Japanese look


@dataclass(frozen=True)
class Plate:
    """The text of a plate and its colours."""

    text: str
    style: str = "europe"
    """europe or japan"""
    ground: Colour = (238, 238, 232)
    ink: Colour = (22, 22, 26)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, metres."""
        return (0.33, 0.165) if self.style == "japan" else (0.52, 0.112)

    def texture(self) -> Pixels:
        """RGBA picture of the plate."""
        width, height = (round(side * 1000 * _SCALE) for side in self.size)
        base = np.full((height, width, 3), self.ground, np.float32)
        base *= np.linspace(1.03, 0.94, height, dtype=np.float32)[:, None, None]
        rim = 1 - soft_box((height, width), (6, 6, width - 6, height - 6), 12)
        mix(base, self.ink, rim * 0.85)
        mix(base, (205, 205, 205), 1 - soft_box((height, width), (2.5, 2.5, width - 2.5, height - 2.5), 10))
        (self._japan if self.style == "japan" else self._europe)(base)
        return premultiply(base, soft_box((height, width), (0, 0, width, height), 10))

    def _europe(self, base: Floats) -> None:
        height, width = base.shape[:2]
        band = 0.082 * width
        mix(base, (28, 62, 150), soft_box((height, width), (5, 5, 5 + band, height - 5), 6))
        draw_text(base, "X", (5 + band / 2, height * 0.72), round(height * 0.2), (240, 240, 240), 1)
        draw_text(base, self.text, (band / 2 + width / 2, height / 2), round(height * 0.62), self.ink, 4)

    def _japan(self, base: Floats) -> None:
        height, width = base.shape[:2]
        draw_text(base, _REGION, (width / 2, height * 0.2), round(height * 0.15), self.ink, 1.5)
        draw_text(base, self.text, (width / 2, height * 0.64), round(height * 0.36), self.ink, 4.5)
        for x in (0.16, 0.84):
            bolt = soft_box((height, width), (x * width - 5, height * 0.07, x * width + 5, height * 0.07 + 10), 5)
            mix(base, (120, 120, 120), bolt)
