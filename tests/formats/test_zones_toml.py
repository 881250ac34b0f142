"""The zones file is read strictly: what is wrong is named, with file, camera and key."""

from pathlib import Path

import pytest

from dashredact.errors import UsageError
from dashredact.formats import zones_toml
from dashredact.settings import CameraZones, Zone, Zones

GOOD = """
[[camera]]
files = "front-*.mp4"
[[camera.ignore]]
name = "bonnet"
box = [0.0, 0.85, 1.0, 1.0]
[[camera.mask]]
name = "overlay"
box = [0, 0, 0.3, 0.05]

[[camera]]
files = "*"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "zones.toml"


def test_cameras_come_in_the_order_of_the_file(path: Path) -> None:
    path.write_text(GOOD)
    bonnet, overlay = Zone("bonnet", (0.0, 0.85, 1.0, 1.0)), Zone("overlay", (0.0, 0.0, 0.3, 0.05))
    assert zones_toml.read(path) == (
        CameraZones("front-*.mp4", Zones((bonnet,), (overlay,))),
        CameraZones("*", Zones()),
    )


_CAMERA = '[[camera]]\nfiles = "a*"\n'
_ZONE = f'{_CAMERA}[[camera.mask]]\nname = "logo"\n'
WRONG = {
    "": "has no [[camera]]",
    "camera = []": "has no [[camera]]",
    "camera = 3": "needs tables as camera; write [[camera]] above each",
    "[camera]\nfiles = 'a'": "needs tables as camera; write [[camera]] above each",
    "[[cameras]]\nfiles = 'a'": "has the unknown key cameras; use camera",
    "[[camera": "is not TOML",
    "[[camera]]": "has nothing as files of camera 1, which must be non-empty text",
    "[[camera]]\nfiles = ''": "has '' as files of camera 1, which must be non-empty text",
    "[[camera]]\nfiles = 7": "has 7 as files of camera 1, which must be non-empty text",
    "[[camera]]\nfiles = 'front/*'": "has a folder in files of camera 1 (front/*)",
    f"{_CAMERA}masks = 1": "has the unknown key masks of camera 1 (a*); use files, ignore, mask",
    f"{_CAMERA}mask = 1": "needs tables as mask of camera 1 (a*); write [[camera.mask]] above each",
    f"{_CAMERA}ignore = [1]": "needs tables as ignore of camera 1 (a*); write [[camera.ignore]] above each",
    f"{_CAMERA}{_CAMERA}[[camera.ignore]]\nbox = [0, 0, 1, 1]": "has nothing as name of camera 2 (a*), ignore zone 1",
    f"{_ZONE}": "needs four numbers as box of camera 1 (a*), mask zone 1 (logo)",
    f"{_ZONE}box = [0, 0, 1]": "needs four numbers as box of camera 1 (a*), mask zone 1 (logo)",
    f"{_ZONE}box = [0, 0, 1, true]": "needs four numbers as box of camera 1 (a*), mask zone 1 (logo)",
    f"{_ZONE}box = [0, 0, 1, '1']": "needs four numbers as box of camera 1 (a*), mask zone 1 (logo)",
    f"{_ZONE}box = {{}}": "needs four numbers as box of camera 1 (a*), mask zone 1 (logo)",
    f"{_ZONE}box = [0, 0, 1, 1]\nstyle = 'fill'": "key style of camera 1 (a*), mask zone 1 (logo); use name, box",
    f"{_ZONE}box = [-0.1, 0, 1, 1]": "has -0.1 as x0 of camera 1 (a*), mask zone 1 (logo), which must be a fraction",
    f"{_ZONE}box = [0, 0, 1, 1.001]": "has 1.001 as y1 of camera 1 (a*), mask zone 1 (logo), which must be a fraction",
    f"{_ZONE}box = [0, nan, 1, 1]": "has nan as y0 of camera 1 (a*), mask zone 1 (logo), which must be a fraction",
    f"{_ZONE}box = [0, 0, inf, 1]": "has inf as x1 of camera 1 (a*), mask zone 1 (logo), which must be a fraction",
    f"{_ZONE}box = [0.5, 0, 0.5, 1]": "has x0 not less than x1 in the box of camera 1 (a*), mask zone 1 (logo)",
    f"{_ZONE}box = [0, 0.6, 1, 0.5]": "has y0 not less than y1 in the box of camera 1 (a*), mask zone 1 (logo)",
}


@pytest.mark.parametrize("content", WRONG)
def test_what_is_wrong_is_named_in_one_sentence(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(UsageError) as caught:
        zones_toml.read(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert WRONG[content] in message
    assert message.endswith(".")
    assert "\n" not in message


def test_bytes_that_are_not_text_are_refused(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not TOML"):
        zones_toml.read(path)


def test_file_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        zones_toml.read(path)
