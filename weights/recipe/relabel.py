"""Makes labels better than they came: what a network finds and nobody marked is looked at, and written down.

`look` draws contact sheets of such finds. A person notes per sheet which numbers are objects and which cannot be told;
the rest are things that only look like one. `apply` turns the notes into `corrections.json`, which `data` reads.
The notes are lines such as `3 object 12 40 41` and `3 ignore 7`, 3 being the sheet.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from tqdm import tqdm

from dashredact.detect.dashnet.network import DashNet
from dashredact.imaging.boxes import iou

from .augment import warp
from .data import CLASSES, CORRECTIONS, Picture, Pixels, annotations, load
from .measure import detect, read_network

_APART = 0.3  # IoU with every marked box under which a find is a new one
_COLUMNS, _ROWS, _WIDTH, _HEIGHT = 12, 10, 132, 96
_CONTEXT = 2.2  # sides of the find that a cell shows
_SHEET = _COLUMNS * _ROWS

Find = dict[str, Any]
"""set, file, label, box in pixels of the picture in memory, score, and the scale from there to the file's pixels"""


def finds(net: DashNet, picture: Picture, label: int, floor: float, width: int) -> Iterator[Find]:
    """What the network sees where nobody marked anything of the class. width: of the file, in pixels."""
    found = detect(net, picture.pixels, floor)
    boxes, scores = found.boxes[found.kinds == label], found.scores[found.kinds == label]
    marked = picture.objects.boxes[picture.objects.labels == label]
    apart = iou(boxes, marked).max(1, initial=0.0) < _APART
    for box, score in zip(boxes[apart].tolist(), scores[apart].tolist(), strict=True):
        unit = width / picture.pixels.shape[1]
        place = {"set": picture.dataset, "file": picture.file, "label": CLASSES[label], "unit": unit}
        yield {**place, "box": box, "score": round(score, 3)}


def cell(picture: Picture, find: Find, number: int) -> Pixels:
    """(_HEIGHT, _WIDTH, 3): the find with its surroundings, outlined and numbered."""
    x0, y0, x1, y1 = find["box"]
    scale = _WIDTH / max((x1 - x0) * _CONTEXT, (y1 - y0) * _CONTEXT * _WIDTH / _HEIGHT, 24)
    corner = (x0 + x1) / 2 * scale - _WIDTH / 2, (y0 + y1) / 2 * scale - _HEIGHT / 2
    view = warp(picture.pixels, np.array([[scale, 0, -corner[0]], [0, scale, -corner[1]]], np.float32), _WIDTH, _HEIGHT)
    near, far = ((int(x * scale - corner[0]), int(y * scale - corner[1])) for x, y in ((x0, y0), (x1, y1)))
    cv2.rectangle(view, (near[0] - 4, near[1] - 4), (far[0] + 4, far[1] + 4), (255, 255, 0), 1)
    cv2.putText(view, str(number), (2, 11), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 255, 0), 1)
    return view


def correct(found: list[Find], notes: str) -> dict[str, dict[str, list[list[Any]]]]:
    """Set -> file -> rows of label, box in pixels of the file, and object, ignore or clutter."""
    verdicts: dict[int, str] = {}
    for line in notes.splitlines():
        sheet, verdict, *numbers = line.split()
        verdicts |= {int(sheet) * _SHEET + int(number): verdict for number in numbers}
    table: dict[str, dict[str, list[list[Any]]]] = defaultdict(lambda: defaultdict(list))
    for number, find in enumerate(found):
        box = [round(side * find["unit"], 1) for side in find["box"]]
        table[find["set"]][find["file"]].append([find["label"], *box, verdicts.get(number, "clutter")])
    return table


@click.group()
def main() -> None:
    """Look at what nobody marked, and write down what it is."""


@main.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the sets.")
@click.option("--state", type=click.Path(exists=True, path_type=Path), required=True, help="Checkpoint or weights.")
@click.option("--label", type=click.Choice(CLASSES), required=True)
@click.option("--floor", default=0.4, show_default=True, help="Least score of a find.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for finds.json and the sheets.")
def look(data: Path, state: Path, label: str, floor: float, out: Path) -> None:
    """Draw contact sheets of finds that nobody marked. They show people: keep them private."""
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    net, pictures = read_network(state), {(picture.dataset, picture.file): picture for picture in load(data)}
    widths = {(name, row["file"]): row["width"] for name, set_ in annotations(data).items() for row in set_["images"]}
    found = [
        find
        for key, picture in tqdm(pictures.items(), mininterval=10)
        for find in finds(net, picture, CLASSES.index(label), floor, widths[key])
    ]
    found.sort(key=lambda find: (find["set"], -find["score"]))
    (out / "finds.json").write_text(json.dumps(found))
    for first in range(0, len(found), _SHEET):
        sheet = np.zeros((_ROWS * _HEIGHT, _COLUMNS * _WIDTH, 3), np.uint8)
        for number, find in enumerate(found[first : first + _SHEET]):
            y, x = number // _COLUMNS * _HEIGHT, number % _COLUMNS * _WIDTH
            sheet[y : y + _HEIGHT, x : x + _WIDTH] = cell(pictures[find["set"], find["file"]], find, number)
        cv2.imwrite(str(out / f"sheet-{first // _SHEET:02}.png"), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


@main.command()
@click.option("--finds", "path", type=click.Path(exists=True, path_type=Path), required=True, help="From `look`.")
@click.option("--notes", type=click.Path(exists=True, path_type=Path), required=True, help="A person's verdicts.")
def apply(path: Path, notes: Path) -> None:
    """Add the verdicts to corrections.json."""
    known = json.loads(CORRECTIONS.read_text())
    table = correct(json.loads(path.read_text()), notes.read_text())
    for name, files in table.items():
        for file, rows in files.items():
            known["sets"].setdefault(name, {}).setdefault(file, []).extend(rows)
    CORRECTIONS.write_text(written(known))
    click.echo(Counter(row[5] for files in table.values() for rows in files.values() for row in rows))


def written(known: dict[str, Any]) -> str:
    """corrections.json with one picture a line, so that changes can be read."""
    sets = []
    for name, files in sorted(known["sets"].items()):
        lines = [f"   {json.dumps(file)}: {json.dumps(sorted(rows))}" for file, rows in sorted(files.items())]
        sets.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n  }")
    rest = ",\n ".join(f"{json.dumps(key)}: {json.dumps(known[key])}" for key in ("labelled", "left_out"))
    return f'{{{rest},\n "sets": {{\n' + ",\n".join(sets) + "\n }}\n"


if __name__ == "__main__":
    main()
