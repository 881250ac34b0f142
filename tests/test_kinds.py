"""What is known of a kind stands in its row, all of it, and nowhere else."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

import dashredact
from dashredact.audit import schemas
from dashredact.detect.dashnet import manifest
from dashredact.governance.policy.gates import MUST_BE_MASKED
from dashredact.kinds import KINDS, ROWS, SHIPPED_KINDS, Kind, KindRow, kind_named
from dashredact.report.charts import SHAPES

_PACKAGE = Path(dashredact.__file__).parent
_TRACKS_SCHEMA = _PACKAGE.parent / "docs" / "schemas" / "tracks-1.json"

NAMED_ELSEWHERE = {
    "governance.policy.gates": "a policy decides which kinds must be masked, whatever there are",
    "detect.external.model_spec": "two forms of model find faces, by what their makers made them for",
    "cli.options": "two kinds have a short option for their threshold",
    "governance.disclosure.incident": "how many persons a leak concerns is guessed by their faces",
}
"""Modules that name a face or a plate, and why a row cannot say that for them."""


# --- the table ----------------------------------------------------------------------------------------------------


def test_every_kind_has_a_row() -> None:
    assert set(ROWS) == set(Kind)
    assert set(KINDS) == set(Kind) - {Kind.ZONE}


@pytest.mark.parametrize("kind", KINDS)
def test_the_row_of_what_detectors_find_is_full(kind: Kind) -> None:
    row = kind.row
    assert row.cells and min(row.cells) >= 1 and max(row.cells) <= 4
    assert row.levels is None or all(2 <= levels <= 16 for levels in row.levels)
    assert all(0 <= margin < 0.5 for margin in (row.margins.sides, row.margins.top, row.margins.bottom))
    assert row.evidence.best > 0 and row.evidence.mean >= 0
    assert len(row.edges) > 1 and list(row.edges) == sorted(set(row.edges)) and row.edges[0] > 0
    assert row.plain in row.edges, "so that a table by size can say the same"
    assert 0.1 <= row.threshold <= 1
    assert all(re.fullmatch(r"[^\W_A-Z]+", name) for name in row.names), "as kind_named reduces what it is asked"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_words_in_both_languages_and_marks_of_its_own(kind: Kind) -> None:
    row = kind.row
    assert row.singular and row.plural and row.singular != row.plural
    assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", row.japanese)
    assert row.shape in SHAPES
    others = [ROWS[other] for other in Kind if other is not kind]
    assert row.shape not in [other.shape for other in others]
    assert not set(row.colours) & {colour for other in others for colour in other.colours}


@pytest.mark.parametrize("kind", Kind)
def test_marks_on_charts_can_be_seen(kind: Kind) -> None:
    light, dark = kind.row.colours
    assert _contrast(light, "#ffffff") >= 4.5
    assert _contrast(dark, "#14171a") >= 4.5


def _contrast(one: str, other: str) -> float:
    """As WCAG 2 counts."""
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_numbers_in_files_of_other_tools_stay_what_they_are() -> None:
    numbers = {kind: kind.row.number for kind in Kind}
    assert numbers | {"face": 1, "plate": 2, "zone": 3, "person": 4, "screen": 5} == numbers
    assert sorted(numbers.values()) == list(range(1, len(Kind) + 1)), "a labels.txt has a line for each"


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("face", Kind.FACE),
        ("Face", Kind.FACE),
        ("human faces", Kind.FACE),
        ("顔", Kind.FACE),
        ("License Plate", Kind.PLATE),
        ("licence_plate", Kind.PLATE),
        ("number-plate", Kind.PLATE),
        ("Vehicle registration plate", Kind.PLATE),
        ("car plate", Kind.PLATE),
        ("ナンバー プレート", Kind.PLATE),
        ("Pedestrian", Kind.PERSON),
        ("cell phone", Kind.SCREEN),
        ("tvmonitor", Kind.SCREEN),
        ("zone", None),
        ("surface", None),
        ("face 2", None),
        ("", None),
    ],
)
def test_names_that_others_use(name: str, kind: Kind | None) -> None:
    assert kind_named(name) is kind


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_words_are_names_too(kind: Kind) -> None:
    assert {kind_named(word) for word in (kind, kind.row.singular, kind.row.plural)} == {kind}


def test_no_name_means_two_kinds() -> None:
    names = [name for row in ROWS.values() for name in row.names]
    assert len(names) == len(set(names))


# --- the rest follows ---------------------------------------------------------------------------------------------


def test_the_shipped_weights_find_what_the_rows_say() -> None:
    assert set(manifest.read(manifest.default_folder()).classes) == set(SHIPPED_KINDS)


def test_what_a_policy_wants_masked_is_masked_by_default() -> None:
    assert set(MUST_BE_MASKED) <= set(SHIPPED_KINDS)


def _enumerations(schema: Any) -> list[tuple[str, ...]]:
    """Lists of kinds in a schema, as enumeration or as properties."""
    if isinstance(schema, list):
        return [found for one in schema for found in _enumerations(one)]
    if not isinstance(schema, dict):
        return []
    own = [tuple(schema[key]) for key in ("enum", "properties") if Kind.FACE in schema.get(key, ())]
    return own + [found for one in schema.values() for found in _enumerations(one)]


def test_schemas_know_every_kind() -> None:
    found = _enumerations(
        [json.loads(schemas.text(schemas.file_name(schemas.VERSIONS[-1]))), json.loads(_TRACKS_SCHEMA.read_text())]
    )
    assert len(found) > 8
    assert all(set(kinds) in (set(KINDS), set(Kind)) for kinds in found)


def _modules() -> dict[str, ast.Module]:
    paths = {path: path.relative_to(_PACKAGE).with_suffix("") for path in sorted(_PACKAGE.rglob("*.py"))}
    return {".".join(name.parts): ast.parse(path.read_text()) for path, name in paths.items()}


def _kinds_in(tree: ast.AST) -> set[str]:
    """Objects that it names, as a member of the enumeration or as a text of its own."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Kind":
            found.add(node.attr.lower())
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found & set(KINDS)


def test_a_new_kind_needs_its_row_alone() -> None:
    naming = {name for name, tree in _modules().items() if _kinds_in(tree)}
    assert naming - {"kinds"} == set(NAMED_ELSEWHERE)


def test_no_page_and_no_style_of_reports_names_a_kind() -> None:
    templates = [path for suffix in ("*.html", "*.css", "*.j2") for path in (_PACKAGE / "report").rglob(suffix)]
    assert len(templates) > 4
    pattern = re.compile(rf"\b({'|'.join(SHIPPED_KINDS)})s?\b", re.IGNORECASE)  # a person may also be a reader
    naming = {path.name: found for path in templates if (found := pattern.findall(path.read_text()))}
    assert naming == {}


def test_rows_are_values() -> None:
    assert KindRow.__dataclass_params__.frozen  # type: ignore[attr-defined]
