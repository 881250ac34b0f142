"""The sticker: the code leads to the page, all texts are on it and inside it, as SVG and as PDF."""

import re
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from policies import FULL, changed, policy

from dashredact.errors import PolicyError
from dashredact.governance.notice import pages, pdf, sticker

_SVG = "{http://www.w3.org/2000/svg}"
_PIXELS = 8  # a module
_LONG = (
    "https://camera.example.jp/notice/2026/taxi-fleet-of-the-eastern-wards/how-we-use-pictures?language=both&version=12"
)
_LONG += "0" * (120 - len(_LONG))
_ADDRESSES = [FULL["notice"]["address"], _LONG, "http://example.jp:8080/a?b=c&d=%E3%81%82#top"]


def _drawn(content: Any = FULL) -> tuple[sticker.Sticker, ElementTree.Element]:
    found = sticker.draw(policy(content))
    return found, ElementTree.fromstring(pages.sticker_svg(found))


def _decoded(squares: list[tuple[float, float, float]], width: float, height: float) -> str:
    """What a reader sees in dark squares (x, y, side in millimetres) on white."""
    side = squares[0][2]
    picture = np.full((round(height / side * _PIXELS), round(width / side * _PIXELS)), 255, np.uint8)
    for x, y, _ in squares:
        left, top = round(x / side * _PIXELS), round(y / side * _PIXELS)
        picture[top : top + _PIXELS, left : left + _PIXELS] = 0
    return str(cv2.QRCodeDetector().detectAndDecode(picture)[0])


@pytest.mark.parametrize("address", _ADDRESSES)
def test_the_code_of_the_svg_leads_to_the_page(address: str) -> None:
    found, root = _drawn(changed(("notice", "address"), address))
    (path,) = [node for node in root.iter(f"{_SVG}path") if len(node.get("d", "")) > 1000]
    parts = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v", path.get("d", ""))
    squares = [(float(x), float(y), float(side)) for x, y, side in parts]
    assert len(squares) == len(found.modules)
    assert _decoded(squares, found.width, found.height) == address


@pytest.mark.parametrize("address", _ADDRESSES)
def test_the_code_of_the_pdf_leads_to_the_page(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    squares: list[tuple[float, float, float]] = []
    usual = pdf.Canvas.rect

    def noted(canvas: Any, x: float, y: float, width: float, height: float, **how: Any) -> None:
        if width == height:
            squares.append((x, -y - height, width))
        usual(canvas, x, y, width, height, **how)

    monkeypatch.setattr(pdf.Canvas, "rect", noted)
    found = sticker.draw(policy(changed(("notice", "address"), address)))
    pdf.sticker_pdf(found)
    assert _decoded(squares, found.width, found.height) == address


def test_white_lies_round_the_code() -> None:
    """Four modules on each side, as the code's standard asks: no text and no edge within."""
    found, _ = _drawn()
    quiet = 4 * found.module
    left, top = min(x for x, _ in found.modules), min(y for _, y in found.modules)
    right, low = (max(place[axis] for place in found.modules) + found.module for axis in (0, 1))
    assert found.band <= top - quiet and right + quiet <= found.width
    for line in found.lines[2:]:
        above = low + quiet <= line.y - line.size
        beside = line.x + _wide(line) <= left - quiet
        assert above or beside, line.text


def _wide(line: sticker.Line) -> float:
    return sum(line.size * (1.0 if ord(sign) > 255 else 0.6) for sign in line.text)


@pytest.mark.parametrize("length", [1, 20, 80])
@pytest.mark.parametrize("sign", ["図", "W", "word "])
def test_texts_of_any_length_stay_on_the_sticker(sign: str, length: int) -> None:
    content = changed(("operator", "name"), {"ja": (sign * 80)[:length], "en": (sign * 80)[:length]})
    content["contact"]["name"] = content["operator"]["name"]
    found, _ = _drawn(content)
    assert all(line.x > 0 and line.x + _wide(line) < found.width and 0 < line.y < found.height for line in found.lines)


def test_texts_that_do_not_fit_are_refused() -> None:
    content = changed(("purposes", 0, "name"), {"ja": "図" * 80, "en": "W" * 80})
    content["purposes"] += [content["purposes"][0] | {"id": f"p{number}"} for number in range(30)]
    with pytest.raises(PolicyError, match="do not fit"):
        sticker.draw(policy(content))


def test_who_what_and_contact_are_on_it_in_both_languages() -> None:
    _, root = _drawn()
    text = "".join(node.text or "" for node in root.iter(f"{_SVG}text"))
    told = [FULL["operator"]["name"], FULL["contact"]["name"], *(p["name"] for p in FULL["purposes"])]
    wanted = [name[language] for name in told for language in ("ja", "en")]
    wanted += ["カメラ撮影中", "CAMERA RECORDING", "camera@example.jp", "03-0000-0000", FULL["notice"]["address"]]
    assert [words for words in wanted if words not in text] == []


@pytest.mark.parametrize("hostile", ["</text><script>alert(1)</script>", "\"'&<!--", "]]>"])
def test_hostile_text_stays_text(hostile: str) -> None:
    _, usual = _drawn()
    _, root = _drawn(changed(("operator", "name", "en"), hostile))
    assert {node.tag for node in root.iter()} == {node.tag for node in usual.iter()}
    assert hostile.replace(" ", "") in "".join(node.text or "" for node in root.iter(f"{_SVG}text")).replace(" ", "")


def test_the_pdf_holds_its_texts_and_one_page_of_the_right_size() -> None:
    found, _ = _drawn()
    content = pdf.sticker_pdf(found)
    assert content.startswith(b"%PDF-") and content == pdf.sticker_pdf(found)
    assert re.search(rb"/MediaBox \[ 0 0 419\.5\d* 297\.6\d* \]", content)
    assert content.count(b"/Type /Page\n") == 1 and b"HeiseiKakuGo-W5" in content


def test_a_sign_outside_the_font_is_marked_in_the_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(pdf.Canvas, "drawString", lambda _canvas, _x, _y, text: shown.append(text))
    pdf.sticker_pdf(sticker.draw(policy(changed(("operator", "name", "ja"), "𠮷野交通"))))
    assert "〓野交通" in shown


@pytest.mark.parametrize(
    ("text", "ems", "lines"),
    [
        ("", 10, []),
        ("road maps", 10, ["road maps"]),
        ("road maps", 4, ["road", "maps"]),
        ("unbreakable", 3, ["unbre", "akabl", "e"]),
        ("道路の更新", 2, ["道路", "の更", "新"]),
        ("道路、更新", 2, ["道路、", "更新"]),
    ],
)
def test_lines_break_at_spaces_and_between_japanese_signs(text: str, ems: float, lines: list[str]) -> None:
    assert sticker.wrapped(text, ems) == lines
