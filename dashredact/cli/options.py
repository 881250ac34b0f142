"""Options that several commands share, and the detector that they describe."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from math import isnan
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from dashredact.detect.api import DetectorOptions, build_detector
from dashredact.errors import UsageError
from dashredact.kinds import KINDS, SHIPPED_KINDS, Kind
from dashredact.values import LOWEST_SCORE, Detector
from dashredact.workspace.output_folder import OutputFolder


class _FolderType(click.ParamType):  # type: ignore[type-arg]  # it has arguments from click 8.4 on
    """An output folder, named by itself or by its audit.jsonl. UsageError where there is no audit log."""

    name = "folder"
    _path = click.Path(exists=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> OutputFolder:
        return OutputFolder.existing(Path(self._path.convert(value, param, ctx)))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return self._path.shell_complete(ctx, param, incomplete)


SOURCES = click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
FOLDER = click.argument("folder", type=_FolderType())
"""First argument of every command about what an output folder holds; its audit.jsonl names it as well."""
OPTIONAL_FOLDER = click.argument("folder", type=_FolderType(), required=False)
NAMES = click.argument("names", nargs=-1, required=True)
OUTPUT_FOLDER = click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Output folder."
)
"""Of the commands that mask; it need not exist yet."""
INBOX = click.option(
    "--inbox", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder with the originals."
)
POLICY_FILE = click.option(
    "--policy",
    "policy_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The policy, see docs/policy.md.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
QUIET = click.option("-q", "--quiet", is_flag=True, help="Show no progress.")


def choice(values: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([str(value) for value in values])


def options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


class _Score(click.FloatRange):
    """A threshold. NaN would be none, and nothing would ever reach it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        score: float = super().convert(value, param, ctx)
        return self.fail(f"{value} is no score.", param, ctx) if isnan(score) else score


_SCORE = _Score(0.1, 1)


def _thresholds(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[Kind, float]:
    """UsageError where one is not KIND=SCORE, or two are of one kind."""
    found: dict[Kind, float] = {}
    for value in values:
        name, sign, score = value.partition("=")
        if not sign or name not in KINDS:
            raise UsageError(
                f"--threshold {value} is not KIND=SCORE, such as face=0.4; the kinds are {', '.join(KINDS)}."
            )
        if name in found:
            raise UsageError(f"--threshold names {name} twice; give one score for it.")
        found[Kind(name)] = _SCORE.convert(score, parameter, context)
    return found


DETECT = options(
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."),
    click.option(
        "--batch-size", type=click.IntRange(1), help="Frames detected at once [default: 4 on a CPU, 16 on a GPU]."
    ),
    click.option(
        "--weights",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Folder with a manifest, weights and a canary [default: the shipped ones].",
    ),
    click.option(
        "--model",
        "models",
        multiple=True,
        metavar="NAME_OR_FILE[=KIND]",
        help="Another model, .onnx or TorchScript, for the kinds that it finds; may be given several times.",
    ),
    click.option("--trust-code", is_flag=True, help="Allow a --model that is TorchScript, which is code."),
    click.option(
        "--detect-size", type=click.IntRange(320, 4096), help="Long side of what the detector sees, in pixels."
    ),
    click.option(
        "--tile",
        type=click.IntRange(1, 4),
        default=1,
        show_default=True,
        help="For 4K and far plates: look at pictures so many times as large, whole and in overlapping tiles; slower.",
    ),
    click.option(
        "--threshold",
        multiple=True,
        metavar="KIND=SCORE",
        callback=_thresholds,
        help="Score, 0.1 to 1, from which objects of a kind are masked, such as face=0.4; may be given several times."
        " [default: from the models]",
    ),
    *(
        click.option(f"--{kind}-threshold", type=_SCORE, help=f"--threshold {kind}=SCORE, where that does not name it.")
        for kind in SHIPPED_KINDS
    ),
)


def thresholds_of(chosen: dict[str, Any]) -> dict[Kind, float]:
    """The scores that the command line gives."""
    short = {kind: chosen[f"{kind}_threshold"] for kind in SHIPPED_KINDS}
    given: dict[Kind, float] = chosen["threshold"]
    return {kind: score for kind, score in short.items() if score is not None} | given


def detector_of(chosen: dict[str, Any], *, lowest_score: float = LOWEST_SCORE) -> Detector:
    """lowest_score: from which boxes come back."""
    return build_detector(
        DetectorOptions(
            device=chosen["device"],
            batch_size=chosen["batch_size"],
            weights=chosen["weights"],
            models=tuple(chosen["models"]),
            trust_code=chosen["trust_code"],
            long_side=chosen["detect_size"],
            tiles=chosen["tile"],
            lowest_score=lowest_score,
            wanted=None if chosen.get("relink") else chosen.get("kinds"),
        )
    )
