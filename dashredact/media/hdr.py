"""HDR metadata of frames: the static part travels to the output as parameters of its encoder, the dynamic does not."""

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame

_PRIMARY_UNITS, _LUMINANCE_UNITS = 50_000, 10_000  # parts of the unit that encoders count in
_STATIC = {"libx264": ("mastering-display", "cll"), "libx265": ("master-display", "max-cll")}
_DYNAMIC = {
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "DOVI_METADATA": "Dolby Vision",
    "DOVI_RPU_BUFFER": "Dolby Vision",
}


class StaticMetadata(NamedTuple):
    """Of a whole video, as x264 and x265 write it; empty where there is none."""

    mastering_display: str = ""
    content_light: str = ""
    """brightest pixel and brightest average of a frame, cd/m²"""

    def parameters(self, encoder: str) -> Iterator[str]:
        """For libx264 or libx265."""
        yield from (f"{name}={value}" for name, value in zip(_STATIC[encoder], self, strict=True) if value)


def static_metadata(image: VideoFrame) -> StaticMetadata:
    display, light = _side_data(image, "MASTERING_DISPLAY_METADATA"), _side_data(image, "CONTENT_LIGHT_LEVEL")
    return StaticMetadata(
        "" if display is None else _mastering_display(np.frombuffer(display, np.int32)),
        "" if light is None else "{},{}".format(*np.frombuffer(light, np.uint32)[:2]),
    )


def dynamic_metadata(image: VideoFrame) -> str:
    """What describes single scenes, by name; empty where there is none."""
    return " and ".join(sorted({name for kind, name in _DYNAMIC.items() if image.side_data.get(kind) is not None}))


def _side_data(image: VideoFrame, kind: str) -> memoryview | None:
    data: Any = image.side_data.get(kind)
    return None if data is None else memoryview(cast(SideData, data))


def _mastering_display(numbers: "np.ndarray[Any, np.dtype[np.int32]]") -> str:
    """numbers: of libavutil's structure, fractions each: x and y of red, green, blue and white, darkest, brightest."""
    values = [number / max(by, 1) for number, by in numbers[:20].reshape(10, 2).tolist()]
    red, green, blue, white = (
        f"({round(x * _PRIMARY_UNITS)},{round(y * _PRIMARY_UNITS)})"
        for x, y in zip(values[0:8:2], values[1:8:2], strict=True)
    )
    darkest, brightest = (round(value * _LUMINANCE_UNITS) for value in values[8:])
    return f"G{green}B{blue}R{red}WP{white}L({brightest},{darkest})"
