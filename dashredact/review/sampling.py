"""A person looks at frames that were drawn by chance; the verdicts bound how much was missed in all videos."""

import csv
import io
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from dashredact import files
from dashredact.audit.events import EventType
from dashredact.audit.records import event_type
from dashredact.errors import MachineError, RefusedError, UsageError
from dashredact.formats.spreadsheet import csv_safe
from dashredact.kinds import KINDS, Kind
from dashredact.media.thumbnails import stills
from dashredact.review import draws
from dashredact.review.decisions import Reviewer, readable
from dashredact.review.draws import Drawn, FrameSpan
from dashredact.review.miss_bound import miss_bound
from dashredact.review.state import ReviewState
from dashredact.tracking.timeline import duration
from dashredact.values import Array

VERDICTS = "verdicts.csv"
_MOST_BYTES = 10_000_000  # of a verdicts file

Record = Mapping[str, Any]


def draw(reviewer: Reviewer, names: Sequence[str], frames: int, folder: Path, seed: str = "") -> Record:
    """Write pictures of drawn frames, and a table for verdicts, into a new folder. The line of the log comes back.

    names: patterns of the videos' names; none: all. seed: any text [default: by chance].
    UsageError where there is nothing to draw from, or the folder is there already or under OUT. RefusedError where a
    file is not the one that the log names.
    """
    desk = reviewer.desk
    if folder.resolve().is_relative_to(desk.out.resolve()):
        raise UsageError(f"{folder} is under {desk.out}; what was missed would stay to be seen there. Choose another.")
    videos = draws.named(draws.population(desk.records), names)
    spans = [FrameSpan(video.name, video.output["sha256"], desk.tracks(video).times) for video in videos]
    chosen, seed = bool(seed), readable(seed) or secrets.token_hex(16)
    names = [readable(name) for name in names]
    try:
        drawn = draws.draw(spans, frames, seed)
    except ValueError:
        raise UsageError(f"{desk.out} has no masked video to draw from{' under that name' if names else ''}.") from None
    told = {
        "id": 1 + sum(event_type(record) == EventType.SAMPLED for record in desk.records),
        "seed": seed,
        "seed_given": chosen,
        "frames": frames,
        "kinds": _kinds(videos),
        "names": names,
        "videos": len(videos),
        "seconds": round(sum(duration(span.times) for span in spans), 3),
        "population": draws.fingerprint(videos),
        "drawn": [one._asdict() for one in drawn],
    }
    record = {"act": str(EventType.SAMPLED), "by": reviewer.by, "draw": told, "reason": ""}
    times = {span.name: span.times for span in spans}
    with _new_folder(folder) as beside:
        _write_pictures(reviewer, beside, drawn, videos, times)
        files.write(beside / VERDICTS, _table(told, drawn, times).encode())
        reviewer.index.append(record)  # before anybody can see what came up
    return record


def _kinds(videos: Sequence[ReviewState]) -> list[str]:
    """Those that every video masks: what nobody masks is not missed."""
    masked = [set(video.result["settings"]["link"]["thresholds"]) for video in videos]
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
    reviewer: Reviewer, folder: Path, drawn: Sequence[Drawn], videos: Sequence[ReviewState], times: Mapping[str, Array]
) -> None:
    desk, standing = reviewer.desk, {video.name: video for video in videos}
    number = 0
    for name, group in groupby(drawn, key=lambda one: one.name):
        moments = [_before(times[name], one.frame) for one in group]
        video = standing[name]
        if not desk.place(video.output["name"]).is_file():
            raise RefusedError(f"{video.output['name']}: is missing; find out where it went.")
        for picture in stills(desk.place(video.output["name"]), video.output["sha256"], moments):
            number += 1
            files.write(folder / _picture(number), picture.jpeg)
    if number < len(drawn):
        raise RefusedError(f"Only {number} of the {len(drawn)} drawn frames could be decoded; nothing was drawn.")


def _before(times: Array, frame: int) -> float:
    """Seconds between the frame and the one before it: containers round, so its own time may be a little late."""
    return float(times[frame] + times[frame - 1]) / 2 if frame else 0.0


def _picture(number: int) -> str:
    return f"{number:04}.jpg"


def _table(told: Record, drawn: Sequence[Drawn], times: Mapping[str, Array]) -> str:
    text = io.StringIO()
    table = csv.writer(text, quoting=csv.QUOTE_ALL)
    columns = [Kind(kind).row.plural for kind in told["kinds"]]
    table.writerow(["draw", "picture", *columns, "video", "seconds"])
    for number, one in enumerate(drawn, 1):
        where = [csv_safe(one.name), f"{times[one.name][one.frame]:.2f}"]
        table.writerow([draws.mark(told), _picture(number), *("" for _ in columns), *where])
    return text.getvalue()


def count(reviewer: Reviewer, verdicts: Path, note: str) -> Record:
    """Read a table of verdicts and write the bounds into the log. The line comes back.

    UsageError where it is not the table of a draw of this log, or not all of it is filled in.
    """
    rows = _read(verdicts)
    marks = {row.get("draw", "").strip() for row in rows}
    sampled = [record["draw"] for record in reviewer.desk.records if event_type(record) == EventType.SAMPLED]
    found = [told for told in sampled if {draws.mark(told)} == marks]
    if not found:
        raise UsageError(f"{verdicts} belongs to no draw of {reviewer.desk.out}; `review sample draw` makes one.")
    told = found[0]
    given = {row.get("picture", "").strip(): row for row in rows}
    if len(given) < len(rows):
        raise UsageError(f"{verdicts} names a picture more than once; leave one row for each.")
    missed: dict[str, list[int]] = {kind: [] for kind in told["kinds"]}
    misses = []
    for number, one in enumerate(told["drawn"], 1):
        for kind in told["kinds"]:
            seen = _count(verdicts, given.get(_picture(number)), number, Kind(kind).row.plural)
            missed[kind] += [seen] * one["times"]
            if seen:
                misses.append({"name": one["name"], "frame": one["frame"], "kind": kind, "missed": seen})
    bounds = {kind: miss_bound(counts) for kind, counts in missed.items()}
    said = {
        "frames": told["frames"],
        "bounds": {
            kind: {name: value for name, value in asdict(one).items() if name != "frames"}
            for kind, one in bounds.items()
        },
        "misses": misses,
    }
    record = {"act": str(EventType.JUDGED), "by": reviewer.by, "draw": {"id": told["id"]}, "judged": said}
    record["reason"] = readable(note)
    reviewer.index.append(record)
    return record


def _read(path: Path) -> list[dict[str, str]]:
    """Rows by column; of a spreadsheet's commas or semicolons."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as a table ({error}).") from None
    sign = ";" if ";" in text.partition("\n")[0] else ","
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=sign, restval="", restkey="more"))
    except csv.Error as error:
        raise UsageError(f"{path} cannot be read as a table ({error}).") from None
    texts = [{key: value for key, value in row.items() if isinstance(value, str)} for row in rows]
    return [row for row in texts if any(value.strip() for value in row.values())]


def _count(path: Path, row: Mapping[str, str] | None, number: int, column: str) -> int:
    value = (row or {}).get(column, "").strip()
    if not re.fullmatch("[0-9]{1,3}", value, re.ASCII):
        told = f"says {value!r}" if value else "says nothing"
        raise UsageError(
            f"{path}: the row of {_picture(number)} {told} under {column}; count what is unmasked there, 0 for none."
        )
    return int(value)
