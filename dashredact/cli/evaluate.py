"""`evaluate`: how well objects are found on annotated pictures."""

import json
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import click

from dashredact import files
from dashredact.cli.app import say
from dashredact.cli.grammar import command, command_option
from dashredact.cli.masking import detector_of
from dashredact.cli.options import EXISTING_FOLDER, FILE_TO_WRITE, QUIET, DetectOptions
from dashredact.errors import MachineError, UsageError
from dashredact.evaluate import clips, curve_svg, datasets, masking, predictions, results
from dashredact.evaluate import run as evaluation
from dashredact.evaluate.clips import MarkedClip
from dashredact.evaluate.masking import MarkedVideo
from dashredact.kinds import KINDS, Kind
from dashredact.progress import ProgressDisplay
from dashredact.settings import Settings, TrackSettings
from dashredact.values import Detector


@command()
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@command_option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@command_option(
    "--videos",
    type=EXISTING_FOLDER,
    multiple=True,
    help="Where the videos are, if they are not beside their marks; may be given several times.",
)
@command_option("--curve", type=FILE_TO_WRITE, help="Draw cover against waste here, for more and less caution; a .svg.")
@command_option("--predictions", "predicted", type=FILE_TO_WRITE, help="Write all boxes from score 0.05 up here.")
@command_option("--misses", type=FILE_TO_WRITE, help="Draw the largest missed objects here, a .png or .jpg.")
@QUIET
def evaluate(
    dataset: Path,
    detect: DetectOptions,
    as_json: bool,
    videos: tuple[Path, ...],
    curve: Path | None,
    predicted: Path | None,
    misses: Path | None,
    quiet: bool,
) -> None:
    """Measure what is found on annotated pictures, and what masks cover and waste on videos with marked frames.

    DATASET is a folder with annotations.json, a folder of such, or a COCO file; or a file of marks of one video, or a
    folder of such. Nothing is masked. A set of the frames of videos is also measured as `redact` would mask it.

    \b
      dashredact evaluate pictures/
      dashredact evaluate instances.json --json --misses misses.png
      dashredact evaluate marks/ --videos drives/ --curve curve.svg
    """
    outputs = _Outputs(dataset=dataset, curve=curve, predicted=predicted, misses=misses)
    outputs.check()
    if clips.looks_like(dataset):
        _evaluate_clips(clips.read(dataset, videos), detect, outputs, as_json=as_json, quiet=quiet)
    elif videos:
        raise UsageError(f"{dataset} holds pictures, so --videos has nothing to do; leave it out.")
    else:
        _evaluate_pictures(dataset, detect, outputs, as_json=as_json, quiet=quiet)


def _evaluate_pictures(
    dataset: Path, detect: DetectOptions, outputs: "_Outputs", *, as_json: bool, quiet: bool
) -> None:
    sets = datasets.read(dataset)
    _check_pictures(dataset, sets)
    detector = detector_of(detect, lowest_score=evaluation.LOWEST_SCORE)
    thresholds = _thresholds(dataset, set().union(*(one.labelled for one in sets)), detector, detect.scores)
    link = TrackSettings(thresholds, believed=detect.caution.believed)
    evaluated = _detect(sets, detector, link, quiet)
    measured = {one.dataset.name: evaluation.measure([one], thresholds) for one in evaluated}
    together = evaluation.measure(evaluated, thresholds)
    if outputs.predicted:
        pairs = [(one.dataset, one.detections) for one in evaluated]
        _write(outputs.predicted, predictions.encode(detector, pairs))
    if outputs.misses:
        _draw(outputs.misses, evaluated)
    if outputs.curve:
        _draw_curve(outputs.curve, [video for one in evaluated for video in one.videos], link)
    if as_json:
        click.echo(json.dumps(results.as_dict(detector, measured, together), ensure_ascii=False))
    else:
        click.echo(results.in_words(measured, together))


def _evaluate_clips(
    marked: Sequence[MarkedClip], detect: DetectOptions, outputs: "_Outputs", *, as_json: bool, quiet: bool
) -> None:
    if outputs.predicted or outputs.misses:
        raise UsageError("--predictions and --misses are of pictures; leave them out, or name a set of pictures.")
    detector = detector_of(detect)
    labelled = set().union(*(clip.kinds for clip in marked))
    thresholds = _thresholds(outputs.dataset, labelled, detector, detect.scores)
    settings = Settings(TrackSettings(thresholds, believed=detect.caution.believed), tiles=detect.tile)
    with ProgressDisplay(quiet=quiet) as progress:
        videos = [clips.detected(clip, detector, settings, progress) for clip in marked]
    masked = {video.name: video.masked(settings.link) for video in videos}
    figures = {name: masking.figures([one]) for name, one in masked.items()}
    together, points = masking.figures(list(masked.values())), masking.curve(videos, settings.link)
    if outputs.curve:
        _write(outputs.curve, curve_svg.draw(points))
    if as_json:
        click.echo(json.dumps(results.clips_as_dict(detector, figures, together, points), ensure_ascii=False))
    else:
        click.echo(results.masks_in_words(figures, together, points))


def _thresholds(path: Path, labelled: Set[Kind], detector: Detector, given: dict[Kind, float]) -> dict[Kind, float]:
    """Of the kinds that the detector finds. UsageError where none of them is labelled, or one is given of another."""
    finds = ", ".join(detector.thresholds)
    if idle := given.keys() - detector.thresholds.keys():
        raise UsageError(f"--threshold names {', '.join(idle)}: the chosen models find {finds}; leave it out.")
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


@dataclass(frozen=True, kw_only=True)
class _Outputs:
    """Files that are written beside what is printed."""

    dataset: Path
    curve: Path | None
    predicted: Path | None
    misses: Path | None

    def check(self) -> None:
        """Before anything is detected: the results can be written, and not into what they are about."""
        own = [self.dataset.resolve()]
        if not self.dataset.is_dir():
            own.append((self.dataset.parent / "images").resolve())
        named = [path for path in (self.curve, self.predicted, self.misses) if path]
        for path in named:
            if not path.parent.is_dir():
                raise UsageError(
                    f"There is no folder {path.parent} to write {path.name} into; make it, or choose another."
                )
            if any(path.resolve().is_relative_to(folder) for folder in own):
                raise UsageError(f"{path} lies in the dataset, which is never written to; choose another place.")
        if self.misses and self.misses.suffix.lower() not in (".png", ".jpg", ".jpeg"):
            raise UsageError(f"{self.misses} is neither a .png nor a .jpg; name one.")
        if self.curve and self.curve.suffix.lower() != ".svg":
            raise UsageError(f"{self.curve} is not a .svg; name one.")
        if len({path.resolve() for path in named}) < len(named):
            raise UsageError(f"{named[-1]} cannot hold several results; name a file for each.")


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


def _draw_curve(path: Path, videos: Sequence[MarkedVideo], link: TrackSettings) -> None:
    if not videos:
        say("no picture is a frame of a video, so no curve is drawn.")
        return
    _write(path, curve_svg.draw(masking.curve(videos, link)))


def _write(path: Path, content: bytes) -> None:
    try:
        files.write(path, content)
    except OSError as error:
        raise MachineError(f"{path} cannot be written ({error.strerror}); choose another place.") from None
