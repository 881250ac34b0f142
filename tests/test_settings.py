"""The fingerprint: nothing that changes an output may leave it as it was."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from dashredact import settings
from dashredact.kinds import Kind
from dashredact.settings import (
    BoxFile,
    Damaged,
    Keep,
    RecheckSettings,
    RenderSettings,
    Settings,
    Style,
    TrackSettings,
    Zone,
    Zones,
)
from dashredact.values import ModelIdentity

_MODEL = ModelIdentity("small", "a" * 64)
_OTHER: dict[str, dict[str, Any]] = {
    "link": {
        "thresholds": {Kind.FACE: 0.4},
        "weakest": 0.25,
        "bridge": 1.5,
        "follow": 0.3,
        "extend": 0.6,
        "grow": 0.2,
        "believed": 0.4,
    },
    "hide": {"style": Style.FILL, "encoder": "libx265", "crf": 21, "preset": "slow", "deinterlace": True},
    "": {
        "audio": Keep.KEEP,
        "gps": Keep.KEEP,
        "damaged": Damaged.SALVAGE,
        "video_stream": 0,
        "segment_seconds": 11.0,
        "tiles": 2,
        "masked_limit": 0.2,
        "boxes": BoxFile("b" * 64),
        "second_look": RecheckSettings(),
        "zones": Zones(mask=(Zone("name", (0.0, 0.0, 0.5, 0.1)),)),
    },
}
"""Another value for every setting."""


def _changed(part: str, name: str, value: Any) -> Settings:
    plain = Settings()
    return replace(plain, **{part: replace(getattr(plain, part), **{name: value})} if part else {name: value})


@pytest.mark.parametrize(
    ("part", "name", "value"), [(part, *pair) for part, values in _OTHER.items() for pair in values.items()]
)
def test_every_setting_changes_the_fingerprint(part: str, name: str, value: Any) -> None:
    assert _changed(part, name, value).fingerprint(_MODEL, 1280) != Settings().fingerprint(_MODEL, 1280)


@pytest.mark.parametrize(("part", "owner"), [("link", TrackSettings), ("hide", RenderSettings), ("", Settings)])
def test_no_setting_was_forgotten_here(part: str, owner: type[Any]) -> None:
    assert {field.name for field in fields(owner)} == _OTHER[part].keys() | ({"link", "hide"} if not part else set())


def test_other_weights_and_another_size_change_the_fingerprint() -> None:
    plain = Settings().fingerprint(_MODEL, 1280)
    assert Settings().fingerprint(replace(_MODEL, sha256="b" * 64), 1280) != plain
    assert Settings().fingerprint(_MODEL, 1920) != plain


def test_another_journey_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Settings().fingerprint(_MODEL, 1280)
    monkeypatch.setattr(settings, "PIPELINE_VERSION", settings.PIPELINE_VERSION + 1)
    assert Settings().fingerprint(_MODEL, 1280) != plain


def test_the_same_settings_said_in_another_order_have_the_same_fingerprint() -> None:
    thresholds = [(Kind.FACE, 0.4), (Kind.PLATE, 0.3)]
    one, other = (Settings(TrackSettings(dict(order))) for order in (thresholds, thresholds[::-1]))
    assert one.fingerprint(_MODEL, 1280) == other.fingerprint(_MODEL, 1280)


def test_a_renamed_model_is_still_the_same() -> None:
    assert Settings().fingerprint(replace(_MODEL, name="other"), 1280) == Settings().fingerprint(_MODEL, 1280)


def test_settings_can_be_written_down() -> None:
    told = json.loads(json.dumps(Settings(TrackSettings({Kind.FACE: 0.4})).as_dict()))
    assert told["link"]["thresholds"] == {"face": 0.4}
    assert told["hide"]["style"] == "blur"
    assert told["audio"] == told["gps"] == "drop"
