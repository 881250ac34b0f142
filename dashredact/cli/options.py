"""Arguments, options and groups of options that several commands share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isnan
from pathlib import Path
from typing import Any

import click

from dashredact.cli.grammar import EnumChoice, FolderType, OptionGroup, command_option, option
from dashredact.errors import UsageError
from dashredact.execute.pool import Limits
from dashredact.kinds import KINDS, SHIPPED_KINDS, Kind
from dashredact.media import encode as encoders
from dashredact.settings import Caution, Damaged, Keep, RecheckSettings, Settings, Style

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE_TO_WRITE = click.Path(dir_okay=False, path_type=Path)
FOLDER_TO_WRITE = click.Path(file_okay=False, path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])

SOURCES = click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
FOLDER = click.argument("folder", type=FolderType())
"""First argument of every command about what an output folder holds; its audit.jsonl names it as well."""
OPTIONAL_FOLDER = click.argument("folder", type=FolderType(), required=False)
NAMES = click.argument("names", nargs=-1, required=True)

INBOX = command_option("--inbox", type=EXISTING_FOLDER, help="Folder with the originals.")
REQUIRED_INBOX = command_option("--inbox", type=EXISTING_FOLDER, required=True, help="Folder with the originals.")
INBOXES = command_option(
    "--inbox",
    "inboxes",
    type=EXISTING_FOLDER,
    multiple=True,
    help="Folder with originals; may be given several times.",
)
POLICY_FILE = command_option("--policy", "policy_file", required=True, type=EXISTING_FILE, help="The policy.")
OUTPUT_FOLDER = command_option("-o", "--output", required=True, type=FOLDER_TO_WRITE, help="Output folder.")
JSON = command_option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
QUIET = command_option("-q", "--quiet", is_flag=True, help="Show no progress and no summary.")
PATTERNS = command_option(
    "--name",
    "names",
    multiple=True,
    metavar="PATTERN",
    help="Only videos whose name fits, as in 'front-*'; may be given several times.",
)


def day(_context: click.Context, _parameter: click.Parameter, value: datetime | None) -> date | None:
    """Of a `DAY`."""
    return value.date() if value else None


class _KindsType(click.ParamType):  # type: ignore[type-arg]  # it takes arguments from click 8.4 on
    """Kinds with commas between, each once and in the order of `KINDS`. UsageError where one is not a kind."""

    name = "kinds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Kind, ...]:
        named = value.replace(",", " ").split() if isinstance(value, str) else list(value)
        unknown = [name for name in named if name not in KINDS]
        if unknown or not named:
            wrong = f"{unknown[0]!r} is not a kind" if unknown else "it names no kind"
            self.fail(f"{wrong}; give some of {','.join(KINDS)}, commas between.", param, ctx)
        return tuple(kind for kind in KINDS if kind in named)


class _ScoreType(click.ParamType):  # type: ignore[type-arg]  # it takes arguments from click 8.4 on
    """A threshold, and with a kind before it, as in `face=0.4`, both."""

    name = "score"
    _range = click.FloatRange(0.1, 1)

    def __init__(self, *, of_kind: bool) -> None:
        self._of_kind = of_kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not self._of_kind:
            return self._score(value, param, ctx)
        name, sign, score = str(value).partition("=")
        if not sign or name not in KINDS:
            self.fail(f"{value} is not KIND=SCORE, such as face=0.4; the kinds are {', '.join(KINDS)}.", param, ctx)
        return Kind(name), self._score(score, param, ctx)

    def _score(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """NaN would be no threshold: nothing ever reaches it."""
        score = float(self._range.convert(value, param, ctx))
        return self.fail(f"{value} is not a score.", param, ctx) if isnan(score) else score


@dataclass(frozen=True, kw_only=True)
class WhatOptions(OptionGroup, heading="What is masked and what is kept"):
    kinds: tuple[Kind, ...] = option(
        "--kinds",
        type=_KindsType(),
        default=SHIPPED_KINDS,
        metavar="KIND,...",
        show_default=",".join(SHIPPED_KINDS),
        help=f"What is masked, of {', '.join(KINDS)}; what the shipped weights do not find needs a --model that does,"
        " or --boxes. A policy wants a --reason where faces or plates are left out.",
    )
    zones: Path | None = option(
        "--zones",
        type=EXISTING_FILE,
        help="TOML file: per camera, parts of the picture that are ignored or always masked.",
    )
    masked_limit: float = option(
        "--masked-limit",
        type=click.FloatRange(0, 100),
        default=100 * Settings.masked_limit,
        show_default=True,
        help="Percent of the picture, on average, from which a video whose masks cover more waits for a person.",
    )
    damaged: Damaged = option(
        "--damaged",
        type=EnumChoice(Damaged),
        default=Damaged.REFUSE,
        show_default=True,
        help="Files with frames that cannot be decoded; salvage drops those frames.",
    )
    video_stream: int | None = option(
        "--video-stream", type=click.IntRange(0), help="Index of the one to mask in files with several."
    )
    audio: Keep = option(
        "--audio", type=EnumChoice(Keep), default=Keep.DROP, show_default=True, help="All audio tracks."
    )
    gps: Keep = option(
        "--gps", type=EnumChoice(Keep), default=Keep.DROP, show_default=True, help="Position data streams."
    )
    keep_detections: bool = option(
        "--keep-detections", is_flag=True, help="Leave NAME.detections.npz, for other thresholds without detecting."
    )


@dataclass(frozen=True, kw_only=True)
class RenderOptions(OptionGroup, heading="How it looks"):
    style: Style = option(
        "--style", type=EnumChoice(Style), default=Style.BLUR, show_default=True, help="How masks look."
    )
    crf: int = option("--crf", type=click.IntRange(0, 51), default=20, show_default=True, help="Lower is better.")
    preset: str = option(
        "--preset",
        type=click.Choice(encoders.PRESETS),
        default="veryfast",
        show_default=True,
        help="Speed of the encoder.",
    )
    deinterlace: bool = option(
        "--deinterlace", is_flag=True, help="Make interlaced frames progressive, each at its own time."
    )
    encoder: str | None = option(
        "--encoder", type=click.Choice(encoders.ENCODERS), help="[default: of the source's codec family]"
    )


@dataclass(frozen=True, kw_only=True)
class DetectOptions(OptionGroup, heading="How objects are found"):
    device: str = option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
    batch_size: int | None = option(
        "--batch-size", type=click.IntRange(1), help="Frames detected at once [default: 4 on a CPU, 16 on a GPU]."
    )
    weights: Path | None = option(
        "--weights",
        type=EXISTING_FOLDER,
        help="Folder with a manifest, weights and a canary [default: the shipped ones].",
    )
    models: tuple[str, ...] = option(
        "--model",
        multiple=True,
        metavar="NAME_OR_FILE[=KIND]",
        help="Another model, .onnx or TorchScript, for the kinds that it finds; may be given several times.",
    )
    trust_code: bool = option("--trust-code", is_flag=True, help="Allow a --model that is TorchScript, which is code.")
    detect_size: int | None = option(
        "--detect-size", type=click.IntRange(320, 4096), help="Long side of what the detector sees, in pixels."
    )
    tile: int = option(
        "--tile",
        type=click.IntRange(1, 4),
        default=1,
        show_default=True,
        help="For 4K and far plates: detect in pictures so many times larger, whole and in overlapping tiles; slower.",
    )
    caution: Caution = option(
        "--caution",
        type=EnumChoice(Caution),
        default=Caution.NORMAL,
        show_default=True,
        help="How little evidence is enough: with more caution more is covered, and more that is neither.",
    )
    thresholds: tuple[tuple[Kind, float], ...] = option(
        "--threshold",
        type=_ScoreType(of_kind=True),
        multiple=True,
        metavar="KIND=SCORE",
        help="Score, 0.1 to 1, from which objects of a kind are masked, such as face=0.4; may be given several times."
        " [default: from the models]",
    )
    face_threshold: float | None = option(
        "--face-threshold",
        type=_ScoreType(of_kind=False),
        help="--threshold face=SCORE, where that does not name it.",
    )
    plate_threshold: float | None = option(
        "--plate-threshold",
        type=_ScoreType(of_kind=False),
        help="--threshold plate=SCORE, where that does not name it.",
    )

    @property
    def named_scores(self) -> dict[Kind, float]:
        """Those of --threshold. UsageError where two are of one kind."""
        scores: dict[Kind, float] = {}
        for kind, score in self.thresholds:
            if kind in scores:
                raise UsageError(f"--threshold names {kind} twice; give one score for it.")
            scores[kind] = score
        return scores

    @property
    def scores(self) -> dict[Kind, float]:
        """All that the command line gives."""
        short = {Kind.FACE: self.face_threshold, Kind.PLATE: self.plate_threshold}
        return {kind: score for kind, score in short.items() if score is not None} | self.named_scores


@dataclass(frozen=True, kw_only=True)
class RecheckOptions(OptionGroup, heading="Second look at the finished file"):
    second_look: bool | None = option(
        "--second-look/--no-second-look",
        default=None,
        help="Detect in the finished file again; what is found unmasked there makes the video need review. [default:"
        " yes, where a detector looked]",
    )
    second_look_every: int = option(
        "--second-look-every",
        type=click.IntRange(1),
        default=RecheckSettings.every,
        show_default=True,
        help="Frames of which one is looked at again.",
    )
    second_look_score: float = option(
        "--second-look-score",
        type=click.FloatRange(0.25, 2),
        default=RecheckSettings.lowest,
        show_default=True,
        help="Score from which two detections of one thing count, as a share of the model's threshold; lower finds"
        " more, and more that is neither.",
    )
    second_model: str | None = option(
        "--second-model", metavar="NAME_OR_FILE[=KIND]", help="Another model that looks at the finished file too."
    )


@dataclass(frozen=True, kw_only=True)
class MaskOptions(OptionGroup):
    """Everything that decides what an output is, but for the source and the policy."""

    what: WhatOptions
    render: RenderOptions
    detect: DetectOptions
    recheck: RecheckOptions


@dataclass(frozen=True, kw_only=True)
class BoxOptions(OptionGroup, heading="What is masked and what is kept"):
    """Of a run over one video whose boxes are known."""

    boxes: Path | None = option(
        "--boxes",
        type=EXISTING_FILE,
        help="Boxes of the kinds of --kinds, and zones, that are masked too: a tracks file, COCO, CVAT or MOT, of the"
        " one video.",
    )
    boxes_of_another_video: bool = option(
        "--boxes-of-another-video", is_flag=True, help="Use --boxes although the file names another video."
    )
    detector: bool = option("--detector/--no-detector", default=True, help="Detect, or mask --boxes alone.")


@dataclass(frozen=True, kw_only=True)
class PolicyOptions(OptionGroup, heading="Policy"):
    policy: Path | None = option(
        "--policy",
        type=EXISTING_FILE,
        help="Policy that the run is under: what it does not allow is refused, exit code 8.",
    )
    purpose: str = option("--purpose", default="", help="The published purpose that the masked videos are for.")
    basis: str = option("--basis", default="", help="What allows it, where that is not what the camera films for.")
    reason: str = option("--reason", default="", help="Why faces or plates are left out.")
    captured: date | None = option(
        "--captured",
        type=DAY,
        callback=day,
        help="The day on which all these videos were filmed [default: by file name, folder, or container].",
    )

    @property
    def declared(self) -> Sequence[str]:
        """Names of the options that say something to a policy."""
        return [name for name in ("purpose", "basis", "reason", "captured") if getattr(self, name)]


@dataclass(frozen=True, kw_only=True)
class WorkerOptions(OptionGroup, heading="Limits"):
    jobs: int = option(
        "--jobs",
        type=click.IntRange(1, 256),
        default=1,
        show_default=True,
        help="Worker processes; they share the cores and the graphics cards.",
    )
    memory_limit: float | None = option(
        "--memory-limit",
        type=click.FloatRange(1),
        help="GiB that a worker may take [default: 4 on a CPU, none on a GPU].",
    )
    stall_limit: float = option(
        "--stall-limit",
        type=click.FloatRange(1),
        default=Limits.stall,
        show_default=True,
        help="Seconds without progress after which a video fails.",
    )
    video_limit: float = option(
        "--video-limit",
        type=click.FloatRange(0.001),
        default=Limits.stage / 3600,
        show_default=True,
        help="Hours that one stage of a video may take.",
    )
