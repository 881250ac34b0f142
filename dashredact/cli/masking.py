"""What the options of the commands that mask come to: detectors, settings, admission, workers."""

import logging
from collections.abc import Collection, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dashredact.cli.app import say
from dashredact.cli.options import (
    BoxOptions,
    DetectOptions,
    MaskOptions,
    PolicyOptions,
    RecheckOptions,
    WhatOptions,
    WorkerOptions,
)
from dashredact.detect.api import DetectorOptions, build_detector
from dashredact.errors import UsageError
from dashredact.execute.pool import Limits, WorkerPool
from dashredact.formats import zones_toml
from dashredact.governance.policy.admission import Admission, RunDeclaration
from dashredact.kinds import Kind
from dashredact.settings import (
    UNDETECTED,
    BoxFile,
    CameraZones,
    RecheckSettings,
    RenderSettings,
    Settings,
    TrackSettings,
)
from dashredact.tracking.zones import camera_of
from dashredact.values import LOWEST_SCORE, Detector
from dashredact.workspace.inbox import Item

DETECTS = BoxOptions()
"""No boxes are given, a detector looks."""


def detector_of(
    detect: DetectOptions, *, wanted: Collection[Kind] | None = None, lowest_score: float = LOWEST_SCORE
) -> Detector:
    """wanted: kinds of which every model has to find one. lowest_score: from which boxes come back."""
    return build_detector(replace(detector_options(detect), wanted=wanted, lowest_score=lowest_score))


def detector_options(detect: DetectOptions) -> DetectorOptions:
    return DetectorOptions(
        device=detect.device,
        batch_size=detect.batch_size,
        weights=detect.weights,
        models=detect.models,
        trust_code=detect.trust_code,
        long_side=detect.detect_size,
        tiles=detect.tile,
    )


@contextmanager
def workers_of(options: WorkerOptions, device: str) -> Iterator[WorkerPool]:
    """Worker processes under the chosen limits; they are ended with the block."""
    memory = options.memory_limit
    if memory is None and not _may_use_gpu(device):
        memory = 4
    limits = Limits(int(memory * 2**30) if memory else None, options.stall_limit, options.video_limit * 3600)
    pool = WorkerPool(options.jobs, limits, show_stderr=logging.getLogger().isEnabledFor(logging.DEBUG))
    try:
        yield pool
    finally:
        pool.close()


def _may_use_gpu(device: str) -> bool:
    return device.startswith("cuda") or (device == "auto" and Path("/proc/driver/nvidia").exists())


def cameras_of(path: Path | None, items: Sequence[Item] = ()) -> Sequence[CameraZones]:
    """Also says which videos have no zones: a mistyped pattern would leave their masks out in silence."""
    if path is None:
        return ()
    cameras = zones_toml.read(path)
    without = [item.name for item in items if camera_of(cameras, item.name) is None]
    if without:
        more = f" and {len(without) - 1} more" if len(without) > 1 else ""
        say(f"{path} has no camera for {without[0]}{more}: no zones there.")
    return cameras


def recheckers_of(
    options: MaskOptions, detector: Detector, given: BoxOptions = DETECTS, *, wanted: Collection[Kind] | None
) -> tuple[Detector, ...]:
    """Who looks at the finished file: the detector itself and the second model; nobody where it is not wanted.

    Where no detector looked in the first place, it is the usual one, if somebody asks for it.
    """
    recheck, detect = options.recheck, options.detect
    if recheck.second_look is False:
        if recheck.second_model:
            raise UsageError("--second-model has nothing to do under --no-second-look; leave one of them out.")
        return ()
    looks = recheck.second_look or given.detector
    first = (detector if given.detector else detector_of(detect, wanted=wanted),) if looks else ()
    if not recheck.second_model:
        return first
    return (*first, detector_of(replace(detect, models=(recheck.second_model,)), wanted=wanted))


def settings_of(
    options: MaskOptions,
    detector: Detector,
    *,
    recheckers: Sequence[Detector],
    given: BoxOptions = DETECTS,
    boxes: BoxFile | None = None,
    in_boxes: Set[Kind] = frozenset(),
) -> Settings:
    """UsageError where a kind is to be masked that nothing finds: it would stay visible, and the log say otherwise.

    in_boxes: kinds in the file of boxes. recheckers: who looks at the finished file.
    """
    what, render = options.what, options.render
    _check_found(options, detector, given, in_boxes)
    scores = detector.thresholds | (options.detect.scores if given.detector else {})
    return Settings(
        link=TrackSettings(
            {kind: scores.get(kind, UNDETECTED) for kind in what.kinds}, believed=options.detect.caution.believed
        ),
        hide=RenderSettings(render.style, render.encoder or "", render.crf, render.preset, render.deinterlace),
        audio=what.audio,
        gps=what.gps,
        damaged=what.damaged,
        video_stream=what.video_stream,
        tiles=options.detect.tile,
        masked_limit=what.masked_limit / 100,
        boxes=boxes,
        second_look=_recheck_settings(options.recheck, recheckers) if recheckers else None,
    )


def _check_found(options: MaskOptions, detector: Detector, given: BoxOptions, in_boxes: Set[Kind]) -> None:
    looks = f"the chosen models find {', '.join(detector.thresholds)}" if given.detector else "no detector looks"
    missing = [kind for kind in options.what.kinds if kind not in detector.thresholds and kind not in in_boxes]
    if missing:
        own = ", ".join(kind for kind in Kind if kind in in_boxes) or "none of any kind"
        file = f", and {given.boxes} holds {own}" if given.boxes else ""
        raise UsageError(
            f"--kinds names {', '.join(missing)}: {looks}{file}; add a --model that finds it, or leave it out."
        )
    idle = [kind for kind in options.detect.named_scores if kind not in detector.thresholds]
    if idle:
        raise UsageError(f"--threshold names {', '.join(idle)}: {looks}; leave it out.")


def _recheck_settings(options: RecheckOptions, recheckers: Sequence[Detector]) -> RecheckSettings:
    models = tuple(detector.identity.sha256 for detector in recheckers)
    lowest = options.second_look_score
    return RecheckSettings(options.second_look_every, lowest, max(RecheckSettings.certain, lowest), models=models)


def admission_of(options: PolicyOptions, what: WhatOptions, settings: Settings) -> Admission | None:
    """None where the run is under no policy. UsageError where something is said that only a policy asks for."""
    if options.policy is None:
        if options.declared:
            raise UsageError(f"--{options.declared[0]} is said to a policy; name one with --policy, or leave it out.")
        return None
    from dashredact.governance.policy import file as policy_file  # noqa: PLC0415 - what reads a policy is slow to load

    purpose, basis, reason = (text.strip() for text in (options.purpose, options.basis, options.reason))
    declaration = RunDeclaration(purpose, basis, reason, options.captured)
    policy = policy_file.read(options.policy)
    return Admission(policy, options.policy.parent, declaration, settings.link.kinds, zoned=what.zones is None)
