"""Kinds of objects that are masked: all that is known of one stands in its row of `ROWS`, and nowhere else.

A new kind is one new member of `Kind` and one new row. Files hold the names of kinds, never their places in a table.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is masked. The values are what files and the command line say."""

    FACE = "face"
    PLATE = "plate"
    PERSON = "person"
    """the whole body"""
    SCREEN = "screen"
    """a display, or a document"""
    ZONE = "zone"
    """a part of the picture that a person has chosen; no detector finds one"""

    @property
    def row(self) -> "KindRow":
        return ROWS[self]


class Measure(StrEnum):
    """Which side of its box says how large an object is. The values complete `at least 40 px`."""

    LONGER_SIDE = "on the longer side"
    WIDTH = "wide"


@dataclass(frozen=True)
class KindRow:
    """What is known of a kind."""

    number: int
    """in COCO and MOT files, beside its name; stays what it is, since other people's scripts may count on it"""
    singular: str
    plural: str
    japanese: str
    """the noun, which has no plural"""
    colours: tuple[str, str]
    """of its marks on charts, #rrggbb, on light and on dark ground; each has a contrast of at least 4.5 there"""
    shape: str
    """of its marks on charts, a name in `report.charts.SHAPES`"""
    names: frozenset[str] = frozenset()
    """of model classes and annotation labels that mean it, lower case, letters and digits only"""
    cells: tuple[int, int] | None = None
    """rows and columns of its mosaic at most, never more than 4x4; None: it is filled, nothing of it remains"""
    levels: tuple[int, int] | None = None
    """so many values that a cell mean may take, luma and chroma; None: it is not rounded"""
    headroom: float = 0.0
    """share of the box's height that its mask reaches further up, beside the margin that all masks have all round"""
    measure: Measure = Measure.LONGER_SIDE
    edges: tuple[int, ...] = ()
    """pixels of the original picture at which one class of sizes ends and the next begins, rising"""
    plain: int = 0
    """pixels from which an object is large enough that it should be found"""
    threshold: float = 0.5
    """score from which a detection is masked, where neither a person nor a model says another"""
    shipped: bool = False
    """whether the shipped weights find it; those kinds are masked where nobody says which"""

    def noun(self, count: int) -> str:
        return self.singular if count == 1 else self.plural


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ROWS: Mapping[Kind, KindRow] = {
    Kind.FACE: KindRow(
        number=1,
        singular="face",
        plural="faces",
        japanese="顔",
        colours=("#0b5fa5", "#7fc3ff"),
        shape="circle",
        names=_names("face faces humanface humanfaces 顔"),
        cells=(4, 4),
        headroom=0.06,  # the forehead: detectors set the upper side lower than people do, and the others right
        edges=(12, 20, 32, 64),
        plain=32,
        shipped=True,
    ),
    Kind.PLATE: KindRow(
        number=2,
        singular="plate",
        plural="plates",
        japanese="ナンバープレート",
        colours=("#9c4300", "#ffb37a"),
        shape="square",
        names=_names(
            "plate plates licenseplate licenseplates licenceplate licenceplates numberplate numberplates"
            " registrationplate registrationplates vehicleregistrationplate vehicleregistrationplates"
            " carplate carplates ナンバープレート"
        ),
        # Rounded, because a box never sits twice alike on its plate, so every frame gives new means: 20 frames of
        # exact ones gave an attacker who knows font and layout a third of the characters; of coarse ones, a tenth.
        cells=(1, 4),
        levels=(8, 16),
        measure=Measure.WIDTH,
        edges=(20, 40, 80, 160),
        plain=40,
        shipped=True,
    ),
    Kind.PERSON: KindRow(
        number=4,
        singular="person",
        plural="people",
        japanese="人物",
        colours=("#5b2d9e", "#c9a6ff"),
        shape="triangle",
        names=_names(
            "person persons people pedestrian pedestrians human humans humanbody rider riders cyclist cyclists"
            " motorcyclist motorcyclists man men woman women boy boys girl girls child children 人 人物 歩行者"
        ),
        # A head is about a seventh of a body, so it lies within one cell. Where the box holds a head and shoulders
        # alone, as behind a windscreen, these are still fewer cells than a face gets. Colours of clothes remain.
        cells=(4, 2),
        edges=(30, 50, 80, 160),
        plain=50,  # from which sets of pedestrians (Caltech, CityPersons) count one
    ),
    Kind.SCREEN: KindRow(
        number=5,
        singular="screen",
        plural="screens",
        japanese="画面・書類",
        colours=("#0a6b4a", "#6fe0b2"),
        shape="diamond",
        names=_names(
            "screen screens display displays monitor monitors computermonitor computermonitors tv tvs tvmonitor"
            " television televisions laptop laptops tablet tablets tabletcomputer phone phones cellphone cellphones"
            " mobilephone mobilephones smartphone smartphones document documents idcard passport"
            " 画面 書類"
        ),
        # Text as on plates, so rounded as they are; but a screen may show one or two large characters, a speed or the
        # number of a route, and then several cells lie on each. Of one digit that fills its box, the attack on masked
        # plates reads 0.9 through 2x2 cells and 0.5 through 1x2 (20 frames), and 0.2 through a single one, where
        # guessing reads 0.1.
        cells=(1, 1),
        levels=(8, 16),
        edges=(20, 40, 80, 160),
        plain=40,
    ),
    Kind.ZONE: KindRow(
        number=3,
        singular="zone",
        plural="zones",
        japanese="指定範囲",
        colours=("#4a5259", "#b3bcc4"),
        shape="bar",
    ),
}

KINDS: tuple[Kind, ...] = tuple(kind for kind in Kind if kind is not Kind.ZONE)
"""What detectors may find."""
SHIPPED_KINDS: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind.row.shipped)
"""What the shipped weights find, and what is masked where nobody says which kinds."""


def kind_named(text: str) -> Kind | None:
    """The kind that a model's class or an annotation's label of that name means: `License Plate`, `faces`, ...

    None where it means none; a zone is no object and has no such names.
    """
    plain = re.sub(r"[\W_]+", "", text.lower())
    return next((kind for kind in KINDS if plain in kind.row.names), None)
