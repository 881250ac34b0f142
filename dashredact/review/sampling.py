"""A person looks at frames that were drawn by chance; the verdicts bound how much was missed in all videos."""

import csv
import io
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from dashredact import files
from dashredact.audit.clips import Clip
from dashredact.audit.events import BoundEntry, Draw, DrawRef, Judged, Judgement, Miss, Sampled
from dashredact.errors import MachineError, RefusedError, UsageError
from dashredact.formats.spreadsheet import csv_safe
from dashredact.kinds import KINDS, Kind
from dashredact.media.thumbnails import stills
from dashredact.review import draws
from dashredact.review.decisions import Reviewer, readable
from dashredact.review.draws import FrameSpan
from dashredact.review.miss_bound import MissBound, miss_bound
from dashredact.tracking.timeline import duration
from dashredact.values import Array
from dashredact.workspace.output_folder import OutputFolder

VERDICTS = "verdicts.csv"
_MAX_BYTES = 10_000_000  # of a verdicts file


def draw(reviewer: Reviewer, names: Sequence[str], frames: int, folder: Path, seed: str = "") -> Draw:
    """Write pictures of drawn frames, and a table for verdicts, into a new folder, and the draw into the log.

    names: patterns of the videos' names; none: all. seed: any text [default: by chance].
    UsageError where there is nothing to draw from, or the folder is there already or under OUT. RefusedError where a
    file is not the one that the log names.
    """
    queue, out = reviewer.queue, reviewer.folder
    if out.contains(folder):
        raise UsageError(f"{folder} is under {out}; what was missed would stay to be seen there. Choose another.")
    clips = draws.named(queue.clips.masked(), names)
    spans = [FrameSpan(clip.name, clip.output.sha256, queue.tracks(clip).times) for clip in clips if clip.output]
    chosen, seed = bool(seed), readable(seed) or secrets.token_hex(16)
    try:
        drawn = draws.draw(spans, frames, seed)
    except ValueError:
        raise UsageError(f"{out} has no masked video to draw from{' under that name' if names else ''}.") from None
    draw = Draw(
        id=1 + sum(isinstance(event, Sampled) for event in queue.events),
        seed=seed,
        seed_given=chosen,
        frames=frames,
        kinds=_kinds(clips),
        names=[readable(name) for name in names],
        videos=len(clips),
        seconds=round(sum(duration(span.times) for span in spans), 3),
        population=draws.fingerprint(clips),
        drawn=drawn,
    )
    times = {span.name: span.times for span in spans}
    with _new_folder(folder) as beside:
        _write_pictures(out, beside, draw, clips, times)
        files.write(beside / VERDICTS, _table(draw, times).encode())
        reviewer.append(Sampled(draw=draw))  # before anybody can see what came up
    return draw


def _kinds(clips: Sequence[Clip]) -> list[str]:
    """Those that every video masks: what nobody masks is not missed."""
    masked = [clip.masking.parsed_settings().link.thresholds for clip in clips]
    kinds = [str(kind) for kind in KINDS if all(kind in one for one in masked)]
    if not kinds:
        raise UsageError("These videos have no kind in common that is masked in all; draw from fewer with --name.")
    return kinds


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Under another name until all of it is there."""
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} is there already; name a new folder.")
    parent = files.private_folder(folder.parent)
    try:
        beside = Path(tempfile.mkdtemp(prefix=".draw-", dir=parent))
        try:
            yield beside
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise MachineError(f"{folder} cannot be written ({error.strerror}).") from None


def _write_pictures(
    out: OutputFolder, folder: Path, draw: Draw, clips: Sequence[Clip], times: Mapping[str, Array]
) -> None:
    outputs = {clip.name: clip.output for clip in clips}
    number = 0
    for name, group in groupby(draw.drawn, key=lambda one: one.name):
        output = outputs[name]
        path = out.resolve(output.name) if output else None
        if output is None or path is None or not path.is_file():
            raise RefusedError(f"{output.name if output else name}: is missing; find out where it went.")
        for picture in stills(path, output.sha256, [_before(times[name], one.frame) for one in group]):
            number += 1
            files.write(folder / _picture(number), picture.jpeg)
    if number < len(draw.drawn):
        raise RefusedError(f"Only {number} of the {len(draw.drawn)} drawn frames could be decoded; nothing was drawn.")


def _before(times: Array, frame: int) -> float:
    """Seconds between the frame and the one before it: containers round, so its own time may be a little late."""
    return float(times[frame] + times[frame - 1]) / 2 if frame else 0.0


def _picture(number: int) -> str:
    return f"{number:04}.jpg"


def _table(draw: Draw, times: Mapping[str, Array]) -> str:
    text = io.StringIO()
    table = csv.writer(text, quoting=csv.QUOTE_ALL)
    columns = [Kind(kind).row.plural for kind in draw.kinds]
    table.writerow(["draw", "picture", *columns, "video", "seconds"])
    for number, one in enumerate(draw.drawn, 1):
        video = [csv_safe(one.name), f"{times[one.name][one.frame]:.2f}"]
        table.writerow([draws.label(draw), _picture(number), *("" for _ in columns), *video])
    return text.getvalue()


def count(reviewer: Reviewer, verdicts: Path, note: str) -> Judgement:
    """Read a table of verdicts and write the bounds into the log.

    UsageError where it is not the table of a draw of this log, or not all of it is filled in.
    """
    rows = _read(verdicts)
    draw = _draw_of(reviewer, verdicts, {row.get("draw", "").strip() for row in rows})
    by_picture = {row.get("picture", "").strip(): row for row in rows}
    if len(by_picture) < len(rows):
        raise UsageError(f"{verdicts} names a picture more than once; leave one row for each.")
    missed: dict[str, list[int]] = {kind: [] for kind in draw.kinds}
    misses = []
    for number, one in enumerate(draw.drawn, 1):
        for kind in draw.kinds:
            seen = _count(verdicts, by_picture.get(_picture(number)), number, Kind(kind).row.plural)
            missed[kind] += [seen] * one.times
            if seen:
                misses.append(Miss(name=one.name, frame=one.frame, kind=kind, missed=seen))
    bounds = {kind: _entry(miss_bound(counts)) for kind, counts in missed.items()}
    judgement = Judgement(frames=draw.frames, bounds=bounds, misses=misses)
    reviewer.append(Judged(draw=DrawRef(id=draw.id), judged=judgement, reason=readable(note)))
    return judgement


def _draw_of(reviewer: Reviewer, verdicts: Path, labels: set[str]) -> Draw:
    sampled = (event.draw for event in reviewer.queue.events if isinstance(event, Sampled) and event.draw)
    draw = next((draw for draw in sampled if {draws.label(draw)} == labels), None)
    if draw is None:
        raise UsageError(f"{verdicts} belongs to no draw of {reviewer.folder}; `review sample draw` makes one.")
    return draw


def _entry(bound: MissBound) -> BoundEntry:
    return BoundEntry(missed=bound.missed, confidence=bound.confidence, seen=bound.seen, most=bound.most)


def _read(path: Path) -> list[dict[str, str]]:
    """Rows by column; of a spreadsheet's commas or semicolons."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as a table ({error}).") from None
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="", restkey="more"))
    except csv.Error as error:
        raise UsageError(f"{path} cannot be read as a table ({error}).") from None
    texts = [{key: value for key, value in row.items() if isinstance(value, str)} for row in rows]
    return [row for row in texts if any(value.strip() for value in row.values())]


def _count(path: Path, row: Mapping[str, str] | None, number: int, column: str) -> int:
    value = (row or {}).get(column, "").strip()
    if not re.fullmatch("[0-9]{1,3}", value, re.ASCII):
        cell = f"says {value!r}" if value else "says nothing"
        raise UsageError(
            f"{path}: the row of {_picture(number)} {cell} under {column}; count what is unmasked there, 0 for none."
        )
    return int(value)
