"""Options that several commands share, and the detector that they describe."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from dashredact.detect.api import DetectorOptions, build_detector
from dashredact.values import LOWEST_SCORE, Detector

SOURCES = click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")


def choice(values: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([str(value) for value in values])


def options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


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
    click.option("--face-threshold", type=click.FloatRange(0.1, 1), help="Score from which a face is masked."),
    click.option("--plate-threshold", type=click.FloatRange(0.1, 1), help="Score from which a plate is masked."),
)


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
        )
    )
