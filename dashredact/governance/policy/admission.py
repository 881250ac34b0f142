"""What a policy has to say about each video before it is masked: the gates, and what the audit log says of them."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashredact.errors import PolicyError, RefusedError
from dashredact.formats import zones_toml as zone_files
from dashredact.governance.policy import gates
from dashredact.media import capture_day, probe
from dashredact.settings import CameraZones
from dashredact.tracking import zones
from dashredact.values import KINDS, Kind
from dashredact.workspace.inbox import Item

if TYPE_CHECKING:  # what reads a policy takes a third of a second to load
    from dashredact.governance.policy.file import PolicyFile

_AHEAD = timedelta(days=1)  # that a camera may be in front of us, by its time zone


@dataclass(frozen=True)
class RunDeclaration:
    """What a person says about all videos of a run."""

    purpose: str = ""
    basis: str = ""
    reason: str = ""
    """why only one kind is masked"""
    captured: date | None = None


class Admission:
    """Lets videos in under one policy."""

    def __init__(
        self,
        file: "PolicyFile",
        folder: Path,
        given: RunDeclaration = RunDeclaration(),
        kinds: Set[Kind] = frozenset(KINDS),
        today: Callable[[], date] = date.today,
        *,
        zoned: bool = True,
    ) -> None:
        """UsageError where a zones file has a fault.

        folder: where the policy lies, and its zones files beside it. zoned: whether those are used.
        """
        self._policy, self._given, self._kinds, self._today = file.policy, given, kinds, today
        self._zones = {name: zone_files.read(folder / name) for name in self._zone_files() if zoned}
        self.told = {
            "sha256": file.sha256,
            "purpose": given.purpose,
            "basis": given.basis,
            "reason": given.reason,
            "given": str(given.captured) if given.captured else None,
        }
        """what the audit log says whatever the video"""

    def _zone_files(self) -> set[str]:
        return {camera.zones for camera in self._policy.cameras if camera.zones}

    def cameras(self, name: str) -> Sequence[CameraZones]:
        """Those of the zones file that the policy names for the camera of this video."""
        camera = gates.camera_of(self._policy, name)
        return self._zones.get(camera.zones or "", ()) if camera else ()

    def admit(self, item: Item, about: dict[str, Any]) -> None:
        """Add to `about` what its line in the audit log says of the policy.

        PolicyError with the reasons where the video may not be masked. RefusedError where the zones file that the
        policy names has no camera for it: its masks would be left out in silence.
        """
        camera, captured = gates.camera_of(self._policy, item.name), self._captured(item)
        about["policy"] = {
            **self.told,
            "camera": camera.files if camera else None,
            "captured": str(captured) if captured else None,
        }
        use = gates.Use(camera, captured, self._given.purpose, self._kinds, self._given.basis, self._given.reason)
        if refused := gates.refusals(self._policy, use):
            about["gates"] = [str(refusal.gate) for refusal in refused]
            raise PolicyError(". It ".join(map(str, refused)) + ".")
        if camera and camera.zones in self._zones and zones.camera_of(self.cameras(item.name), item.name) is None:
            raise RefusedError(
                f"{item.name}: the policy names {camera.zones} for its camera, which has no zones for it; "
                "add its camera there, or take the zones out of the policy."
            )

    def _captured(self, item: Item) -> date | None:
        """The day of filming; a day that is still to come tells nothing."""
        day = self._given.captured or capture_day.in_name(item.name) or _created(item.source)
        return day if day and day <= self._today() + _AHEAD else None


def _created(source: Path) -> date | None:
    """The local day by the container. Cameras without a set clock write 1904 or 1970."""
    told = probe.created(source)
    try:
        day = datetime.fromisoformat(told).astimezone().date() if told else None
    except (ValueError, OverflowError):
        return None
    return day if day and day.year >= 2000 else None
