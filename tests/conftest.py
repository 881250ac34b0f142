"""What tests share: clips, a detector that finds their secret, and a batch to run it in."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from clips import Finder, Library

from dashredact.batch.batch import Batch
from dashredact.kinds import SHIPPED_KINDS
from dashredact.pipeline.outcome import Outcome
from dashredact.settings import RenderSettings, Settings, TrackSettings
from dashredact.values import ProgressEvent
from dashredact.workspace import inbox, locks
from dashredact.workspace.output_folder import OutputFolder

# A build must not turn red by chance or on a slow machine; `pytest --hypothesis-profile=hunt` looks for new cases.
hypothesis.settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("hunt")
hypothesis.settings.load_profile("steady")

SETTINGS = Settings(
    link=TrackSettings(dict.fromkeys(SHIPPED_KINDS, 0.5)), hide=RenderSettings(preset="ultrafast"), segment_seconds=0.5
)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DASHREDACT_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_error_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    loud = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not loud


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """`clip("late.mp4")` is the path of that clip. Worker processes of pytest-xdist share one folder."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "clips"
    folder.mkdir(exist_ok=True)
    return Library(folder)


@pytest.fixture
def finder() -> Finder:
    return Finder()


@pytest.fixture
def settings() -> Settings:
    """Short segments and a quick encoder."""
    return SETTINGS


Mask = Callable[..., Outcome]


@pytest.fixture
def mask(tmp_path: Path, finder: Finder) -> Mask:
    """Mask one file in a batch of its own: `mask(path, audio=Keep.KEEP)`. Results go to `tmp_path / "out"`."""

    def run(source: Path, *, by: Finder | None = None, out: Path | None = None, **changed: object) -> Outcome:
        folder = out or tmp_path / "out"
        settings = replace(SETTINGS, **changed)  # type: ignore[arg-type]
        batch = Batch(OutputFolder(folder), by or finder, settings, _silent)
        (outcome,) = batch.run(inbox.plan([source], folder))
        return outcome

    return run


def _silent(_fact: ProgressEvent) -> None:
    pass


def work_left(out: Path) -> list[Path]:
    """Work folders of videos that are not finished."""
    return sorted(path for path in (out / locks.STATE_FOLDER).glob("*-*") if path.is_dir())


def every_other(names: Iterable[str]) -> list[Any]:
    """Parameters, of which `make test-all` alone takes every second."""
    return [
        pytest.param(name, id=name, marks=[pytest.mark.slow] if place % 2 else []) for place, name in enumerate(names)
    ]
