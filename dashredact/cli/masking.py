"""Options and answers that the commands which mask share."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from dashredact.cli.app import say
from dashredact.cli.options import choice, detector_of, options, thresholds_of
from dashredact.errors import ExitCode, UsageError
from dashredact.execute.pool import Limits, WorkerPool
from dashredact.formats import zones_toml
from dashredact.governance.policy.admission import Admission, RunDeclaration
from dashredact.kinds import KINDS, SHIPPED_KINDS, Kind
from dashredact.media import encode as encoders
from dashredact.pipeline.outcome import VideoStatus
from dashredact.settings import (
    UNDETECTED,
    BoxFile,
    CameraZones,
    Damaged,
    Keep,
    RecheckSettings,
    RenderSettings,
    Settings,
    Style,
    TrackSettings,
)
from dashredact.tracking.zones import camera_of
from dashredact.values import Detector
from dashredact.workspace.inbox import Item


def _kinds(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[Kind, ...]:
    """In the order of `KINDS`, each once. UsageError where one is no kind, or there is none."""
    named = re.split(r"[,\s]+", value.strip(", "))
    unknown = [name for name in named if name not in KINDS]
    if unknown:
        raise UsageError(f"--kinds {value}: {unknown[0]!r} is no kind; give some of {','.join(KINDS)}, commas between.")
    return tuple(kind for kind in KINDS if kind in named)


MASK = options(
    click.option(
        "--kinds",
        metavar="KIND,...",
        default=",".join(SHIPPED_KINDS),
        show_default=True,
        callback=_kinds,
        help=f"What is masked, of {', '.join(KINDS)}; what the shipped weights do not find needs a --model that does,"
        " or --boxes. A policy wants a --reason where faces or plates are left out.",
    ),
    click.option("--style", type=choice(Style), default=str(Style.BLUR), show_default=True, help="How masks look."),
    click.option("--crf", type=click.IntRange(0, 51), default=20, show_default=True, help="Quality: lower is better."),
    click.option("--preset", type=click.Choice(encoders.PRESETS), default="veryfast", help="Speed of the encoder."),
    click.option("--encoder", type=click.Choice(encoders.ENCODERS), help="[default: of the source's codec family]"),
    click.option("--audio", type=choice(Keep), default=str(Keep.DROP), show_default=True, help="All sound tracks."),
    click.option("--gps", type=choice(Keep), default=str(Keep.DROP), show_default=True, help="Position data streams."),
    click.option(
        "--damaged",
        type=choice(Damaged),
        default=str(Damaged.REFUSE),
        show_default=True,
        help="Files with frames that cannot be decoded; salvage drops those frames.",
    ),
    click.option("--video-stream", type=click.IntRange(0), help="Index of the one to mask in files with several."),
    click.option(
        "--zones",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="TOML file: per camera, parts of the picture that are ignored or always masked.",
    ),
    click.option(
        "--second-look/--no-second-look",
        default=None,
        help="Detect on the finished file again; what should be masked there and is not makes the video need"
        " review. [default: yes, where a detector looked]",
    ),
    click.option(
        "--second-look-every",
        type=click.IntRange(1),
        default=RecheckSettings.every,
        show_default=True,
        help="Frames of which one is looked at again.",
    ),
    click.option(
        "--second-look-score",
        type=click.FloatRange(0.25, 2),
        default=RecheckSettings.lowest,
        show_default=True,
        help="Score from which two sights of one thing count, as a share of the model's threshold; lower finds more,"
        " and more that is neither.",
    ),
    click.option(
        "--second-model",
        metavar="NAME_OR_FILE[=KIND]",
        help="Another model that looks at the finished file too.",
    ),
    click.option(
        "--keep-detections", is_flag=True, help="Leave NAME.detections.npz, for other thresholds without detecting."
    ),
)


POLICY = options(
    click.option(
        "--policy",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Policy that the run is under: what it does not allow is refused, exit code 8.",
    ),
    click.option("--purpose", default="", help="The published purpose that the masked videos are for."),
    click.option("--basis", default="", help="What allows it, where that is not what the camera films for."),
    click.option("--reason", default="", help="Why only one of faces and plates is masked."),
    click.option(
        "--captured",
        type=click.DateTime(["%Y-%m-%d"]),
        help="The day on which all these videos were filmed [default: by file name, folder, or container].",
    ),
)


WORKERS = options(
    click.option(
        "--jobs",
        type=click.IntRange(1, 256),
        default=1,
        show_default=True,
        help="Worker processes; they share the cores and the graphics cards.",
    ),
    click.option(
        "--memory-limit",
        type=click.FloatRange(1),
        help="GiB that a worker may take [default: 4 on a CPU, none on a GPU].",
    ),
    click.option(
        "--stall-limit",
        type=click.FloatRange(1),
        default=Limits.stall,
        show_default=True,
        help="Seconds without progress after which a video is given up.",
    ),
    click.option(
        "--video-limit",
        type=click.FloatRange(0.001),
        default=Limits.stage / 3600,
        show_default=True,
        help="Hours that one step of a video may take.",
    ),
)


@contextmanager
def crew_of(chosen: dict[str, Any]) -> Iterator[WorkerPool]:
    """Worker processes under the chosen limits; they are ended with the block."""
    memory = chosen["memory_limit"]
    if memory is None and not _may_use_gpu(chosen["device"]):
        memory = 4
    limits = Limits(int(memory * 2**30) if memory else None, chosen["stall_limit"], chosen["video_limit"] * 3600)
    pool = WorkerPool(chosen["jobs"], limits, show_stderr=logging.getLogger().isEnabledFor(logging.DEBUG))
    try:
        yield pool
    finally:
        pool.close()


def _may_use_gpu(device: str) -> bool:
    return device.startswith("cuda") or (device == "auto" and Path("/proc/driver/nvidia").exists())


def cameras_of(path: Path | None, items: Sequence[Item]) -> Sequence[CameraZones]:
    """Also says which videos have no zones: a mistyped pattern would leave their masks out in silence."""
    if path is None:
        return ()
    cameras = zones_toml.read(path)
    without = [item.name for item in items if camera_of(cameras, item.name) is None]
    if without:
        more = f" and {len(without) - 1} more" if len(without) > 1 else ""
        say(f"{path} has no camera for {without[0]}{more}: no zones there.")
    return cameras


def seconds_of(chosen: dict[str, Any], detector: Detector) -> tuple[Detector, ...]:
    """Who looks at the finished file: the detector itself and the second model; nobody where it is not wanted.

    Where no detector looked in the first place, it is the usual one, if somebody asks for it.
    """
    other = chosen["second_model"]
    if chosen["second_look"] is False:
        if other:
            raise UsageError("--second-model has nothing to do under --no-second-look; leave one of them out.")
        return ()
    looks = chosen["second_look"] or chosen.get("detector", True)
    first = (detector if chosen.get("detector", True) else detector_of(chosen),) if looks else ()
    return (*first, detector_of({**chosen, "models": (other,)})) if other else first


def settings_of(
    chosen: dict[str, Any],
    detector: Detector,
    *,
    boxes: BoxFile | None = None,
    in_boxes: Set[Kind] = frozenset(),
    seconds: Sequence[Detector] = (),
) -> Settings:
    """UsageError where a kind is to be masked that nothing finds: it would stay visible, and the log say otherwise.

    in_boxes: kinds in the file of boxes. seconds: who looks at the finished file.
    """
    _check_found(chosen, detector, in_boxes)
    scores = detector.thresholds | (thresholds_of(chosen) if chosen.get("detector", True) else {})
    thresholds = {kind: scores.get(kind, UNDETECTED) for kind in chosen["kinds"]}
    hide = RenderSettings(Style(chosen["style"]), chosen["encoder"] or "", chosen["crf"], chosen["preset"])
    return Settings(
        link=TrackSettings(thresholds),
        hide=hide,
        audio=Keep(chosen["audio"]),
        gps=Keep(chosen["gps"]),
        damaged=Damaged(chosen["damaged"]),
        video_stream=chosen["video_stream"],
        tiles=chosen["tile"],
        boxes=boxes,
        second_look=_second_look(chosen, seconds) if seconds else None,
    )


def _check_found(chosen: dict[str, Any], detector: Detector, in_boxes: Set[Kind]) -> None:
    looks = f"the chosen models find {', '.join(detector.thresholds)}"
    if not chosen.get("detector", True):
        looks = "no detector looks"
    missing = [kind for kind in chosen["kinds"] if kind not in detector.thresholds and kind not in in_boxes]
    if missing:
        own = ", ".join(kind for kind in Kind if kind in in_boxes) or "none of any kind"
        file = f", and {chosen['boxes']} holds {own}" if chosen.get("boxes") else ""
        raise UsageError(
            f"--kinds names {', '.join(missing)}: {looks}{file}; add a --model that finds it, or leave it out."
        )
    idle = [kind for kind in chosen["threshold"] if kind not in detector.thresholds]
    if idle:
        raise UsageError(f"--threshold names {', '.join(idle)}: {looks}; leave it out.")


def _second_look(chosen: dict[str, Any], seconds: Sequence[Detector]) -> RecheckSettings:
    models = tuple(detector.identity.sha256 for detector in seconds)
    lowest = chosen["second_look_score"]
    return RecheckSettings(chosen["second_look_every"], lowest, max(RecheckSettings.certain, lowest), models=models)


def admission_of(chosen: dict[str, Any], settings: Settings) -> Admission | None:
    """None where the run is under no policy. UsageError where something is said that only a policy asks for."""
    asked = [name for name in ("purpose", "basis", "reason", "captured") if chosen[name]]
    if chosen["policy"] is None:
        if asked:
            raise UsageError(f"--{asked[0]} is said to a policy; name one with --policy, or leave it out.")
        return None
    from dashredact.governance.policy import file as policy_file  # noqa: PLC0415 - what reads a policy is slow to load

    path, captured = chosen["policy"], chosen["captured"]
    purpose, basis, reason = (chosen[name].strip() for name in ("purpose", "basis", "reason"))
    given = RunDeclaration(purpose, basis, reason, captured.date() if captured else None)
    return Admission(policy_file.read(path), path.parent, given, settings.link.kinds, zoned=chosen["zones"] is None)


def exit_code(statuses: Iterable[VideoStatus]) -> ExitCode:
    statuses = set(statuses)
    if VideoStatus.BUG in statuses:
        return ExitCode.BUG
    if VideoStatus.REFUSED_BY_POLICY in statuses:
        return ExitCode.REFUSED_BY_POLICY
    if statuses & {VideoStatus.FAILED, VideoStatus.REFUSED}:
        return ExitCode.SOME_FAILED
    return ExitCode.NEEDS_REVIEW if VideoStatus.NEEDS_REVIEW in statuses else ExitCode.OK
