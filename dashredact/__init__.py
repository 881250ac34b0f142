"""Masks faces and licence plates in dashcam footage, in bulk, and accounts for every output.

    from dashredact import probe, redact

    for result in redact("uploads", "masked"):
        print(result.name, result.status, result.output)

Everything in `__all__` is the documented interface (docs/api.md). It is loaded when it is first used: `import
dashredact` loads no torch and no codec.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from dashredact.api import RedactResult as RedactResult
    from dashredact.api import find_tracks as find_tracks
    from dashredact.api import probe as probe
    from dashredact.api import read_tracks as read_tracks
    from dashredact.api import redact as redact
    from dashredact.api import write_tracks as write_tracks
    from dashredact.detect.api import DetectorOptions as DetectorOptions
    from dashredact.detect.api import build_detector as build_detector
    from dashredact.errors import DashredactError as DashredactError
    from dashredact.errors import LedgerError as LedgerError
    from dashredact.errors import LockedError as LockedError
    from dashredact.errors import MachineError as MachineError
    from dashredact.errors import PolicyError as PolicyError
    from dashredact.errors import UsageError as UsageError
    from dashredact.errors import VideoError as VideoError
    from dashredact.formats.tracks_json import TracksFile as TracksFile
    from dashredact.kinds import KINDS as KINDS
    from dashredact.kinds import Kind as Kind
    from dashredact.media.info import VideoInfo as VideoInfo
    from dashredact.pipeline.outcome import VideoStatus as VideoStatus
    from dashredact.settings import RenderSettings as RenderSettings
    from dashredact.settings import Settings as Settings
    from dashredact.settings import Style as Style
    from dashredact.settings import TrackSettings as TrackSettings
    from dashredact.values import Detections as Detections
    from dashredact.values import Detector as Detector
    from dashredact.values import ModelIdentity as ModelIdentity
    from dashredact.values import ProgressEvent as ProgressEvent
    from dashredact.values import Track as Track

_HOMES = {
    "dashredact.api": ("RedactResult", "find_tracks", "probe", "read_tracks", "redact", "write_tracks"),
    "dashredact.detect.api": ("DetectorOptions", "build_detector"),
    "dashredact.errors": (
        *("DashredactError", "LedgerError", "LockedError", "MachineError", "PolicyError", "UsageError", "VideoError"),
    ),
    "dashredact.formats.tracks_json": ("TracksFile",),
    "dashredact.kinds": ("KINDS", "Kind"),
    "dashredact.media.info": ("VideoInfo",),
    "dashredact.pipeline.outcome": ("VideoStatus",),
    "dashredact.settings": ("RenderSettings", "Settings", "Style", "TrackSettings"),
    "dashredact.values": ("Detections", "Detector", "ModelIdentity", "ProgressEvent", "Track"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_HOME_OF]  # noqa: PLE0604 - all of them are strings


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
