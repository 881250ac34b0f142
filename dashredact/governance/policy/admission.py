"""What a policy has to say about each video before it is masked: the gates, and what the audit log says of them."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashredact.errors import PolicyError, RefusedError
from dashredact.formats import zones_toml as zone_files
from dashredact.governance.policy import gates
from dashredact.kinds import Kind
from dashredact.media.capture_time import CaptureTime, capture_time, read_container
from dashredact.settings import CameraZones
from dashredact.tracking import zones
from dashredact.workspace.inbox import Item

if TYPE_CHECKING:  # importing pydantic takes 0.3 s
    from dashredact.governance.policy.file import PolicyFile
    from dashredact.governance.policy.model import Camera as PolicyCamera


@dataclass(frozen=True)
class RunDeclaration:
    """What a person says about all videos of a run."""

    purpose: str = ""
    basis: str = ""
    reason: str = ""
    """why only one kind is masked"""
    captured: date | None = None


PolicyRecord = str | dict[str, Any]
"""What a line of the audit log says of the policy; `events.NO_POLICY` where there is none."""


class NotAdmittedError(PolicyError):
    """The policy refuses a video."""

    def __init__(self, message: str, gates: Sequence[str] = ()) -> None:
        """gates: codes of those that refused it."""
        super().__init__(message)
        self.gates = gates


@dataclass(frozen=True)
class Candidate:
    """A video that asks to be masked under a policy."""

    name: str
    camera: "PolicyCamera | None"
    """None where no camera of the policy fits its name"""
    captured: CaptureTime
    record: PolicyRecord
    """what the audit log says of the policy, for this video"""


class Admission:
    """Lets videos in under one policy."""

    def __init__(
        self,
        file: "PolicyFile",
        folder: Path,
        given: RunDeclaration = RunDeclaration(),
        kinds: Set[Kind] = frozenset(gates.MUST_BE_MASKED),
        today: Callable[[], date] = date.today,
        *,
        zoned: bool = True,
    ) -> None:
        """UsageError where a zones file has a fault.

        folder: where the policy lies, and its zones files beside it. zoned: whether those are used.
        """
        self._policy, self._given, self._kinds, self._today = file.policy, given, kinds, today
        self._zones = {name: zone_files.read(folder / name) for name in self._zone_files() if zoned}
        self.declared: dict[str, Any] = {
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

    def examine(self, item: Item) -> "Candidate":
        """What the policy has to know of a video."""
        camera, captured = gates.camera_of(self._policy, item.name), self._capture_time(item)
        record = {
            **self.declared,
            "camera": camera.files if camera else None,
            "captured": str(captured.day) if captured.day else None,
        }
        return Candidate(item.name, camera, captured, record)

    def admit(self, candidate: "Candidate") -> None:
        """NotAdmittedError with the reasons where the video may not be masked.

        RefusedError where the zones file that the policy names has no camera for it: its masks would be left out in
        silence.
        """
        name, camera = candidate.name, candidate.camera
        use = gates.Use(
            camera=camera,
            captured=candidate.captured.day,
            purpose=self._given.purpose,
            kinds=self._kinds,
            basis=self._given.basis,
            reason=self._given.reason,
            undated=candidate.captured.why_undated,
        )
        if refused := gates.refusals(self._policy, use):
            raise NotAdmittedError(". It ".join(map(str, refused)) + ".", [str(refusal.gate) for refusal in refused])
        if camera and camera.zones in self._zones and zones.camera_of(self.cameras(name), name) is None:
            raise RefusedError(
                f"{name}: the policy names {camera.zones} for its camera, which has no zones for it; "
                "add its camera there, or take the zones out of the policy."
            )

    def _capture_time(self, item: Item) -> CaptureTime:
        return capture_time(
            item.name,
            today=self._today(),
            given=self._given.captured,
            container=partial(read_container, item.source),
        )
