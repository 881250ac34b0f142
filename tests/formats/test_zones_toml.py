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
    "": "there is no [[camera]]",
    "camera = []": "there is no [[camera]]",
    "camera = 3": "camera must be tables; write [[camera]] above each",
    "[camera]\nfiles = 'a'": "camera must be tables; write [[camera]] above each",
    "[[cameras]]\nfiles = 'a'": "the key cameras is not known; use camera",
    "[[camera": "is not TOML",
    "[[camera]]": "camera 1: files must be a text",
    "[[camera]]\nfiles = ''": "camera 1: files must be a text",
    "[[camera]]\nfiles = 7": "camera 1: files must be a text",
    "[[camera]]\nfiles = 'front/*'": "camera 1 (front/*): files is a pattern of file names",
    f"{_CAMERA}masks = 1": "camera 1 (a*): the key masks is not known; use files, ignore, mask",
    f"{_CAMERA}mask = 1": "camera 1 (a*): mask must be tables; write [[camera.mask]] above each",
    f"{_CAMERA}ignore = [1]": "camera 1 (a*): ignore must be tables; write [[camera.ignore]] above each",
    f"{_CAMERA}{_CAMERA}[[camera.ignore]]\nbox = [0, 0, 1, 1]": "camera 2 (a*), ignore zone 1: name must be a text",
    f"{_ZONE}": "camera 1 (a*), mask zone 1 (logo): box must be four numbers",
    f"{_ZONE}box = [0, 0, 1]": "mask zone 1 (logo): box must be four numbers",
    f"{_ZONE}box = [0, 0, 1, true]": "box must be four numbers",
    f"{_ZONE}box = [0, 0, 1, '1']": "box must be four numbers",
    f"{_ZONE}box = {{}}": "box must be four numbers",
    f"{_ZONE}box = [0, 0, 1, 1]\nstyle = 'fill'": "(logo): the key style is not known; use name, box",
    f"{_ZONE}box = [-0.1, 0, 1, 1]": "x0 of box is -0.1, and must be a share",
    f"{_ZONE}box = [0, 0, 1, 1.001]": "y1 of box is 1.001, and must be a share",
    f"{_ZONE}box = [0, nan, 1, 1]": "y0 of box is nan, and must be a share",
    f"{_ZONE}box = [0, 0, inf, 1]": "x1 of box is inf, and must be a share",
    f"{_ZONE}box = [0.5, 0, 0.5, 1]": "x0 of box must be less than x1",
    f"{_ZONE}box = [0, 0.6, 1, 0.5]": "y0 of box must be less than y1",
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


def test_bytes_that_are_no_text_are_refused(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not TOML"):
        zones_toml.read(path)


def test_file_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        zones_toml.read(path)
