"""COCO annotation files of picture sets, converted to the format of `annotations.json`."""

from typing import Any

from dashredact.formats.validation import FormatError
from dashredact.kinds import KINDS, Kind, kind_named


def looks_like(content: Any) -> bool:
    return isinstance(content, dict) and isinstance(content.get("annotations"), list) and "categories" in content


def to_annotations(content: dict[str, Any]) -> dict[str, Any]:
    """The same pictures and boxes as `annotations.json` has them, without the categories that are not kinds.

    Crowds become ignored boxes. The result is not validated further than FormatError says; read it like such a file.
    """
    try:
        kinds = {row["id"]: kind for row in content["categories"] if (kind := kind_named(str(row["name"])))}
        if not kinds:
            raise FormatError(f"has no category that is a {' or a '.join(KINDS)}")
        boxes: dict[Any, list[dict[str, Any]]] = {row["id"]: [] for row in content["images"]}
        for row in content["annotations"]:
            if row["category_id"] in kinds:
                boxes[row["image_id"]].append(_box(row, kinds[row["category_id"]]))
        images = [{**row, "file": row["file_name"], "boxes": boxes[row["id"]]} for row in content["images"]]
    except KeyError as error:
        raise FormatError(f"is not a COCO file: {error} is missing or refers to nothing") from None
    except (TypeError, ValueError):
        raise FormatError("is not a COCO file: a part of it has a different format") from None
    if len(boxes) != len(images):
        raise FormatError('has two images with the same "id"')
    labelled = content.get("labelled", sorted(set(kinds.values())))
    return {"labelled": labelled, "images": images, **({"rate": content["rate"]} if "rate" in content else {})}


def _box(row: dict[str, Any], kind: Kind) -> dict[str, Any]:
    x, y, w, h = row["bbox"]
    ignore = bool(row.get("iscrowd") or row.get("ignore"))
    return {"label": kind, "x": x, "y": y, "w": w, "h": h, "ignore": ignore, "track": row.get("track_id")}
