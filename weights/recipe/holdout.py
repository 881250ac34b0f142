"""Copies the pictures that are never trained on into sets of their own, corrections included, for `evaluate`."""

import json
import shutil
from pathlib import Path
from typing import Any

import click

from .data import CORRECTIONS, annotations, held_out


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the sets.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the sets held out.")
@click.option("--corrected/--as-marked", default=True, show_default=True, help="With what was looked up later, or not.")
def main(data: Path, out: Path, corrected: bool) -> None:
    """Make sets of the pictures held out."""
    corrections = json.loads(CORRECTIONS.read_text()) if corrected else {"labelled": {}, "sets": {}}
    for name, content in annotations(data).items():
        later = corrections["sets"].get(name, {})
        images = [_with(row, later.get(row["file"], [])) for row in content["images"] if held_out(name, row["file"])]
        known = corrections["labelled"].get(name, content["labelled"])
        labelled = [label for label in known if label not in content.get("partial", [])]
        folder = out / name
        for row in images:
            target = folder / row["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(data / name / row["file"], target)
        told = {"source": content["source"], "labelled": labelled, "images": images}
        (folder / "annotations.json").write_text(json.dumps(told))
        click.echo(f"{folder}: {len(images)} pictures")


def _with(row: dict[str, Any], later: list[list[Any]]) -> dict[str, Any]:
    """The picture's entry with what was looked up later; clutter is background and needs no box."""
    boxes = [
        {"label": label, "x": x0, "y": y0, "w": x1 - x0, "h": y1 - y0, "ignore": verdict == "ignore"}
        for label, x0, y0, x1, y1, verdict in later
        if verdict != "clutter"
    ]
    return {**row, "boxes": [*row["boxes"], *boxes]}


if __name__ == "__main__":
    main()
