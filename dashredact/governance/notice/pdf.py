"""The sticker as a PDF. The font is named, not put in: every PDF reader brings a Japanese one."""

import io

from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from dashredact.governance.notice.sticker import Sticker

_FONT = "HeiseiKakuGo-W5"
_DARK, _WHITE, _BLACK = HexColor("#111827"), HexColor("#ffffff"), HexColor("#000000")
_MISSING = "〓"  # what printers set for a character that they lack


def sticker_pdf(sticker: Sticker) -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(sticker.width * mm, sticker.height * mm), invariant=1)
    canvas.setTitle("Sticker")
    canvas.translate(0, sticker.height * mm)
    canvas.scale(mm, mm)
    _camera(canvas, sticker)
    for line in sticker.lines:
        canvas.setFillColor(_WHITE if line.white else _DARK)
        canvas.setFont(_FONT, line.size)
        canvas.drawString(line.x, -line.y, _in_font(line.text))
    canvas.setFillColor(_BLACK)
    for x, y in sticker.modules:
        canvas.rect(x, -y - sticker.module, sticker.module, sticker.module, stroke=0, fill=1)
    canvas.save()
    return file.getvalue()


def _camera(canvas: Canvas, sticker: Sticker) -> None:
    """The dark band with the picture of a camera."""
    canvas.setFillColor(_DARK)
    canvas.rect(0, -sticker.band, sticker.width, sticker.band, stroke=0, fill=1)
    canvas.setFillColor(_WHITE)
    canvas.roundRect(7, -19, 17, 11, 1.5, stroke=0, fill=1)
    body = canvas.beginPath()
    body.moveTo(25, -12)
    for x, y in ((31, -8.5), (31, -18.5), (25, -15)):
        body.lineTo(x, y)
    body.close()
    canvas.drawPath(body, stroke=0, fill=1)
    canvas.setFillColor(_DARK)
    canvas.circle(13, -13.5, 3, stroke=0, fill=1)


def _in_font(text: str) -> str:
    return "".join(char if ord(char) <= 0xFFFF else _MISSING for char in text)
