"""COCO's annotation files in our form."""

from typing import Any

from dashredact.kinds import KINDS, Kind, kind_named


class NotOursError(Exception):
    """Says what is wrong in a file, without its name."""


def looks_like(content: Any) -> bool:
    return isinstance(content, dict) and isinstance(content.get("annotations"), list) and "categories" in content


def to_ours(content: dict[str, Any]) -> dict[str, Any]:
    """The same pictures and boxes as in `annotations.json`; categories that are no kind of ours are left out.

    Crowds become ignored boxes. What comes out has still to be checked, like a file of our own form.
    """
    try:
        kinds = {row["id"]: kind for row in content["categories"] if (kind := kind_named(str(row["name"])))}
        if not kinds:
            raise NotOursError(f"has no category that is a {' or a '.join(KINDS)}")
        marks: dict[Any, list[dict[str, Any]]] = {row["id"]: [] for row in content["images"]}
        for row in content["annotations"]:
            if row["category_id"] in kinds:
                marks[row["image_id"]].append(_mark(row, kinds[row["category_id"]]))
        images = [{**row, "file": row["file_name"], "boxes": marks[row["id"]]} for row in content["images"]]
    except KeyError as error:
        raise NotOursError(f"is no COCO file: {error} is missing or names nothing") from None
    except (TypeError, ValueError):
        raise NotOursError("is no COCO file: a part of it has another form") from None
    if len(marks) != len(images):
        raise NotOursError('has two images of one "id"')
    labelled = content.get("labelled", sorted(set(kinds.values())))
    return {"labelled": labelled, "images": images, **({"rate": content["rate"]} if "rate" in content else {})}


def _mark(row: dict[str, Any], kind: Kind) -> dict[str, Any]:
    x, y, w, h = row["bbox"]
    ignore = bool(row.get("iscrowd") or row.get("ignore"))
    return {"label": kind, "x": x, "y": y, "w": w, "h": h, "ignore": ignore, "track": row.get("track_id")}
