"""The kinds of objects that are masked. Everything about a kind is in its row of `ROWS`, and nowhere else.

To add a kind, add a member of `Kind` and a row. Files store the names of kinds, never indices.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind of object. The values are used in files and on the command line."""

    FACE = "face"
    PLATE = "plate"
    PERSON = "person"
    """the whole body"""
    SCREEN = "screen"
    """a display, or a document"""
    ZONE = "zone"
    """a rectangle of the picture that a person chose; never detected"""

    @property
    def row(self) -> "KindRow":
        return ROWS[self]


class Measure(StrEnum):
    """The side of a box that is the size of the object. The values complete `at least 40 px`."""

    LONGER_SIDE = "on the longer side"
    WIDTH = "wide"


@dataclass(frozen=True)
class Margins:
    """What is added to a box, as fractions of its width or height: beyond it may lie what the detector left out."""

    sides: float
    """left and right"""
    top: float
    bottom: float


@dataclass(frozen=True)
class Evidence:
    """Weights of what tells how likely a track is of an object (`tracking.evidence`), fitted by the recipe."""

    best: float
    """of the logit of the best score"""
    mean: float
    """of the logit of the mean of the five best"""
    bias: float


@dataclass(frozen=True)
class KindRow:
    number: int
    """in COCO and MOT files, beside the name; must not change, since other people's scripts may depend on it"""
    singular: str
    plural: str
    japanese: str
    """the noun, which has no plural"""
    colours: tuple[str, str]
    """of its marks in charts, #rrggbb, on light and on dark backgrounds, each with a contrast of at least 4.5"""
    shape: str
    """of its marks in charts, a name in `report.charts.SHAPES`"""
    names: frozenset[str] = frozenset()
    """of model classes and annotation labels that mean this kind; lower case, letters and digits only"""
    cells: tuple[int, int] | None = None
    """most rows and columns of its mosaic, never more than 4x4; None: it is filled"""
    levels: tuple[int, int] | None = None
    """number of values that a cell mean is rounded to, luma and chroma; None: it is not rounded"""
    margins: Margins = Margins(0.18, 0.18, 0.18)
    evidence: Evidence = Evidence(1.81, 0.56, 1.84)
    measure: Measure = Measure.LONGER_SIDE
    edges: tuple[int, ...] = ()
    """bounds between classes of sizes, in pixels of the original picture, rising"""
    plain: int = 0
    """size in pixels from which an object should be detected"""
    threshold: float = 0.5
    """default score from which a detection is masked"""
    shipped: bool = False
    """whether the shipped weights detect it; those kinds are masked by default"""

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
        margins=Margins(0.2, 0.22, 0.2),  # the forehead: detectors place the upper side lower than annotators do
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
        # Rounded, because a box moves against its plate from frame to frame, so each frame gives different means. From
        # the exact means of 20 frames an attacker who knew font and layout recovered a third of the characters; from
        # rounded means, a tenth.
        cells=(1, 4),
        levels=(8, 16),
        margins=Margins(0.12, 0.3, 0.2),
        evidence=Evidence(1.69, 0.51, 0.25),
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
        plain=50,  # as in benchmarks of pedestrians (Caltech, CityPersons)
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
"""The kinds that detectors may detect."""
SHIPPED_KINDS: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind.row.shipped)
"""The kinds that the shipped weights detect, which are masked by default."""


def kind_named(text: str) -> Kind | None:
    """The kind that the name of a model class or annotation label means, such as `License Plate` or `faces`.

    None if it means none of them. Zones have no such names.
    """
    plain = re.sub(r"[\W_]+", "", text.lower())
    return next((kind for kind in KINDS if plain in kind.row.names), None)
