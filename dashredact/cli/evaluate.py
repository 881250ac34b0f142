"""`evaluate`: how well objects are found on annotated pictures."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from dashredact import files
from dashredact.cli.app import say
from dashredact.cli.grammar import command, command_option
from dashredact.cli.masking import detector_of
from dashredact.cli.options import FILE_TO_WRITE, QUIET, DetectOptions
from dashredact.errors import MachineError, UsageError
from dashredact.evaluate import datasets, predictions, results
from dashredact.evaluate import run as evaluation
from dashredact.kinds import KINDS, Kind
from dashredact.progress import ProgressDisplay
from dashredact.settings import TrackSettings
from dashredact.values import Detector


@command()
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@command_option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@command_option("--predictions", "predicted", type=FILE_TO_WRITE, help="Write all boxes from score 0.05 up here.")
@command_option("--misses", type=FILE_TO_WRITE, help="Draw the largest missed objects here, a .png or .jpg.")
@QUIET
def evaluate(
    dataset: Path,
    detect: DetectOptions,
    as_json: bool,
    predicted: Path | None,
    misses: Path | None,
    quiet: bool,
) -> None:
    """Measure what is found on annotated pictures: a folder with annotations.json, a folder of such, or a COCO file.

    Nothing is masked. A set of the frames of videos is also measured after linking, as `redact` would mask it.

    \b
      dashredact evaluate pictures/
      dashredact evaluate instances.json --json --misses misses.png
    """
    _check_targets(dataset, predicted, misses)
    sets = datasets.read(dataset)
    _check_pictures(dataset, sets)
    detector = detector_of(detect, lowest_score=evaluation.LOWEST_SCORE)
    thresholds = _thresholds(dataset, sets, detector, detect.scores)
    evaluated = _detect(sets, detector, TrackSettings(thresholds), quiet)
    measured = {one.dataset.name: evaluation.measure([one], thresholds) for one in evaluated}
    together = evaluation.measure(evaluated, thresholds)
    if predicted:
        pairs = [(one.dataset, one.detections) for one in evaluated]
        _write(predicted, predictions.encode(detector, pairs))
    if misses:
        _draw(misses, evaluated)
    if as_json:
        click.echo(json.dumps(results.as_dict(detector, measured, together), ensure_ascii=False))
    else:
        click.echo(results.in_words(measured, together))


def _thresholds(
    path: Path, sets: Sequence[datasets.Dataset], detector: Detector, given: dict[Kind, float]
) -> dict[Kind, float]:
    """Of the kinds that the detector finds. UsageError where none of them is labelled, or one is given of another."""
    finds = ", ".join(detector.thresholds)
    if idle := given.keys() - detector.thresholds.keys():
        raise UsageError(f"--threshold names {', '.join(idle)}: the chosen models find {finds}; leave it out.")
    labelled = set().union(*(one.labelled for one in sets))
    if not labelled & detector.thresholds.keys():
        own = ", ".join(kind for kind in KINDS if kind in labelled)
        raise UsageError(f"{path} is labelled for {own}, and the chosen models find {finds}; choose another --model.")
    return detector.thresholds | given


def _detect(
    sets: Iterable[datasets.Dataset], detector: Detector, link: TrackSettings, quiet: bool
) -> list[evaluation.EvaluatedSet]:
    with ProgressDisplay(quiet=quiet) as progress:
        return [
            evaluation.EvaluatedSet(one, evaluation.detect_all(one, detector, progress), link, detector.long_side)
            for one in sets
        ]


def _check_targets(dataset: Path, predicted: Path | None, misses: Path | None) -> None:
    """Before anything is detected: the results can be written, and not into what they are about."""
    own = [dataset.resolve()] if dataset.is_dir() else [dataset.resolve(), (dataset.parent / "images").resolve()]
    for path in filter(None, (predicted, misses)):
        if not path.parent.is_dir():
            raise UsageError(f"There is no folder {path.parent} to write {path.name} into; make it, or choose another.")
        if any(path.resolve().is_relative_to(folder) for folder in own):
            raise UsageError(f"{path} lies in the dataset, which is never written to; choose another place.")
    if misses and misses.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"{misses} is neither a .png nor a .jpg; name one.")
    if misses and predicted and misses.resolve() == predicted.resolve():
        raise UsageError(f"{misses} cannot hold both predictions and misses; name two files.")


def _check_pictures(dataset: Path, sets: Iterable[datasets.Dataset]) -> None:
    empty = [one.name for one in sets if not one.images]
    if empty:
        raise UsageError(f"{dataset}: the set {', '.join(empty)} holds no pictures; add some, or leave it out.")


def _draw(path: Path, evaluated: Sequence[evaluation.EvaluatedSet]) -> None:
    missed = [miss for one in evaluated for miss in one.misses()]
    if not missed:
        say("nothing was missed, so no contact sheet is written.")
        return
    _write(path, datasets.encode(evaluation.contact_sheet(missed), path.suffix.lower()))
    say(f"{path} shows people and plates unmasked; keep it to yourself and delete it after use.")


def _write(path: Path, content: bytes) -> None:
    try:
        files.write(path, content)
    except OSError as error:
        raise MachineError(f"{path} cannot be written ({error.strerror}); choose another place.") from None
