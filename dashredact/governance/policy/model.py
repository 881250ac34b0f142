"""What a policy holds. Each field's description says what a clerk writes there; messages and the template use it."""

import re
import unicodedata
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dashredact.governance.policy.words import ANSWER_DAYS, Facing
from dashredact.text import is_printable

RESERVED = re.compile(r"anonymi[sz]|匿名化|匿名加工|仮名加工")
"""Legal categories with duties of their own, which a masked video is not in."""
_ADDRESS = r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~!$&()*+,;=:@%/?#-]*)?$"
_LONGEST_TEXT, _LONGEST_NAME = 600, 80
_LONGEST_ADDRESS = 120  # so that the modules of its QR code stay large enough to be read from a step away


def _written(text: str) -> str:
    """ValueError that does not repeat the offending word: it would end up in what this tool writes."""
    if not all(map(is_printable, text)):
        raise ValueError("holds a line break or a character that cannot be printed; write it on one line")
    if RESERVED.search(unicodedata.normalize("NFKC", text).casefold()):
        raise ValueError("uses the name of a legal category that masked videos are not in; say masked, or 処理済")
    return text


_Words = Annotated[str, AfterValidator(_written)]
Name = Annotated[_Words, Field(min_length=1, max_length=_LONGEST_NAME)]
Text = Annotated[_Words, Field(min_length=1, max_length=_LONGEST_TEXT)]
Id = Annotated[_Words, Field(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
Days = Annotated[int, Field(ge=0, le=36500)]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)


class BothNames(_Model):
    ja: Name
    en: Name


class BothTexts(_Model):
    ja: Text
    en: Text


class Operator(_Model):
    """Who films, and answers for it."""

    name: BothNames = Field(description="the registered name of the company that films and answers for it")


class Contact(_Model):
    """The one place for questions, complaints and requests."""

    name: BothNames = Field(description="the desk that answers questions and complaints, such as Customer desk")
    email: Annotated[_Words, Field(pattern=r"^[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\"]+$", max_length=120)] = Field(
        description="the e-mail address of that desk, such as camera@example.jp"
    )
    phone: Annotated[_Words, Field(pattern=r"^[+0-9][0-9 ()-]{4,30}$")] | None = Field(
        None, description="the telephone number of that desk, such as 03-0000-0000, or leave the line out"
    )
    answer_days: Annotated[int, Field(ge=1, le=365)] = Field(
        ANSWER_DAYS, description="within how many days the desk answers a request, such as 14, or leave the line out"
    )


class Purpose(_Model):
    """A published purpose of masked footage."""

    id: Id = Field(description="a short name for --purpose: small letters, digits and hyphens, such as road-map")
    name: BothNames = Field(description="the purpose in a few words, such as Keeping road maps up to date")
    made: BothTexts = Field(description="what is made of the footage, such as a list of road signs and their places")
    identifiable: bool = Field(description="true if a person can be identified from what is made, otherwise false")


class Camera(_Model):
    """What is true of all files whose names fit a pattern; the first camera that fits a file counts."""

    files: Annotated[_Words, Field(min_length=1, max_length=200, pattern="^[^/]+$")] = Field(
        description="the pattern of its file names without folders, such as front-*.mp4"
    )
    facing: Facing = Field(
        description="which way it faces: outward, rear (out of the back), cabin or unknown; the last two are never used"
    )
    purpose: Id = Field(description="what it films for: security, evidence, or the id of one of the purposes")
    view: BothTexts = Field(
        description="where it is and what it sees, such as windscreen, the road ahead to about 50 m"
    )
    zones: Annotated[_Words, Field(min_length=1)] | None = Field(
        None, description="the zones file beside this policy, such as zones.toml, or leave the line out"
    )


class Retention(_Model):
    """Days from filming to deletion, per stage."""

    captured: Days = Field(description="how many days unmasked footage is kept, such as 3")
    masked: Days = Field(description="how many days masked footage is kept, such as 365")
    audit: Days = Field(description="how many days the audit log is kept, such as 1825, not fewer than masked")
    reason: Text | None = Field(
        None, description="why unmasked footage is kept for more than 7 days, or leave the line out"
    )


class Recipient(_Model):
    """Somebody outside the company who gets masked footage."""

    name: BothNames = Field(description="the registered name of the company that gets masked footage")
    purposes: Annotated[tuple[Id, ...], Field(min_length=1)] = Field(
        description='the ids of the purposes that it gets it for, such as ["road-map"]'
    )
    contract: Name = Field(description="the number or date of the contract that forbids it to find out who was filmed")


class Processor(_Model):
    """Somebody outside the company who works on footage on its behalf."""

    name: BothNames = Field(description="the registered name of the company that works on footage for you")
    task: BothTexts = Field(description="what it does for you, such as storing masked footage")
    contract: Name = Field(description="the number or date of the contract with it")


class Notice(_Model):
    """How and when the people filmed are told."""

    address: Annotated[_Words, Field(pattern=_ADDRESS, max_length=_LONGEST_ADDRESS)] = Field(
        description="the web address where you publish the page, such as https://example.jp/camera"
    )
    published: date = Field(description="the day on which page and stickers are out, such as 2026-03-01")
    start: date = Field(description="the first day whose footage is used, such as 2026-04-01, not before published")
    vehicles: Annotated[int, Field(ge=1, le=1_000_000)] = Field(description="how many vehicles film, such as 120")
    area: BothTexts = Field(description="where they drive, such as Tokyo, 23 wards")


class Review(_Model):
    """Whether a person reviews masked videos before they are handed over."""

    share: Annotated[float, Field(ge=0, le=1)] = Field(
        description="the share of masked videos that a person reviews before they are exported, or before their"
        " originals are purged: 1 all, 0.1 a tenth, 0 none"
    )
    second_person: bool = Field(description="true if it has to be another person than the one who masked, or false")


class Policy(_Model):
    benefit: BothTexts = Field(description="what people in the street gain from it, in plain words")
    review_by: date = Field(description="the day by which this policy is to be gone through again, such as 2027-04-01")
    operator: Operator = Field(description="a table with name")
    contact: Contact = Field(description="a table with name and email")
    notice: Notice = Field(description="a table with address, published, start, vehicles and area")
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)] = Field(
        description="a table [[purposes]] for each published purpose"
    )
    cameras: Annotated[tuple[Camera, ...], Field(min_length=1)] = Field(
        description="a table [[cameras]] for each kind of camera"
    )
    retention: Retention = Field(description="a table with captured, masked and audit")
    review: Review = Field(description="a table with share and second_person")
    recipients: tuple[Recipient, ...] = Field(
        description="a table [[recipients]] for each, or recipients = [] above all tables if nobody gets any"
    )
    processors: tuple[Processor, ...] = Field(
        description="a table [[processors]] for each, or processors = [] above all tables if there are none"
    )
