"""The form of pictures: pixel format, colour, shape of a pixel. An output has one; that of its source may change."""

import json
from collections import Counter
from fractions import Fraction
from typing import NamedTuple

from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from dashredact.errors import RefusedError
from dashredact.media.hdr import StaticMetadata, dynamic_metadata, static_metadata
from dashredact.media.images import convertible, working_format
from dashredact.text import plural

_BT709 = 1  # in the numbering of primaries, of transfer functions and of matrices
_HDR_TRANSFERS = {16, 18}  # PQ (SMPTE 2084) and HLG, in the numbering of libavutil


class Color(NamedTuple):
    """In the numbering of libavutil; what is not known differs from none."""

    range: int
    primaries: int
    transfer: int
    matrix: int

    @property
    def hdr(self) -> bool:
        return self.transfer in _HDR_TRANSFERS


class Form(NamedTuple):
    pixel_format: str
    """the planar one in which the picture is painted and encoded"""
    color: Color
    aspect: Fraction
    """width by height of a pixel, as the codec says; 0 where it does not"""
    hdr: StaticMetadata = StaticMetadata()
    dynamic: str = ""
    """dynamic HDR metadata, by name, which no output has"""

    def __str__(self) -> str:
        return f"{self.pixel_format}, {'full' if self.color.range == ColorRange.JPEG else 'limited'} range"


def form_of(image: VideoFrame, aspect: Fraction | None = None) -> Form:
    """RGB frames are converted to BT.709 (`images.paintable`) and tagged accordingly."""
    if image.format.is_rgb:
        color = Color(int(ColorRange.MPEG), _BT709, _BT709, _BT709)
    else:
        color = Color(image.color_range, image.color_primaries, image.color_trc, image.colorspace)
    return Form(working_format(image), color, aspect or Fraction(0), static_metadata(image), dynamic_metadata(image))


def encode_forms(frames: Counter[Form]) -> bytes:
    """How many frames have each form, as JSON."""
    rows = [
        [form.pixel_format, form.color, str(form.aspect), form.hdr, form.dynamic, count]
        for form, count in frames.items()
    ]
    return json.dumps(rows).encode()


def decode_forms(content: bytes) -> Counter[Form]:
    """The opposite of `encode_forms`; empty for no content."""
    rows = json.loads(content) if content else []
    return Counter(
        {
            Form(name, Color(*color), Fraction(aspect), StaticMetadata(*hdr), dynamic): count
            for name, color, aspect, hdr, dynamic, count in rows
        }
    )


def decide(name: str, frames: Counter[Form]) -> tuple[Form, tuple[str, ...]]:
    """The form of the output, which is that of most frames, and what has to be said of the others.

    frames: how many have each form. RefusedError where no conversion makes one of all of them.
    """
    dynamic = sorted({form.dynamic for form in frames if form.dynamic})
    notes = [f"its dynamic HDR metadata ({', '.join(dynamic)}) was dropped"] if dynamic else []
    described = Counter({form.hdr: count for form, count in frames.items() if any(form.hdr)})
    hdr = described.most_common(1)[0][0] if described else StaticMetadata()  # some decoders tell it of key frames only
    static: Counter[Form] = Counter()
    for form, count in frames.items():
        static[form._replace(hdr=hdr, dynamic="")] += count
    shapes = sorted({form.aspect for form in static if form.aspect})
    if len(shapes) > 1:
        raise RefusedError(
            f"{name}: the shape of its pixels changes from {shapes[0]} to {shapes[1]} partway through; split it there"
            " first."
        )
    if len({form.color.hdr for form in static}) > 1:
        raise RefusedError(f"{name}: changes between HDR and SDR partway through; split it there first.")
    if not convertible([form.color.matrix for form in static]):
        raise RefusedError(f"{name}: the matrix of its colours changes partway through; split it there first.")
    ((chosen, most), *_) = static.most_common()
    others = static.total() - most
    if not others:
        return chosen, tuple(notes)
    kinds = ", ".join(sorted({str(form) for form in static if form != chosen} - {str(chosen)})) or "other colour tags"
    return chosen, (
        *notes,
        f"{plural(others, 'frame')} of another form ({kinds}) were converted to that of most ({chosen})",
    )
