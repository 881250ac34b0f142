"""What a policy shows for items of the guidebook."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from dashredact.audit.events import Event
from dashredact.governance.policy.model import Policy

_STAGES = ("captured", "masked", "audit")


@dataclass(frozen=True)
class Case:
    """What is judged."""

    policy: Policy
    sha256: str
    """of the policy file"""
    today: date
    log: Sequence[Event] | None = None
    """of an output folder, oldest first; None where none was given"""
    exposed: Sequence[str] = ()
    """names of files in it that others than their owner can read"""


class Evidence(NamedTuple):
    """For or against one item."""

    is_met: bool | None
    """None: it lies outside the tool"""
    lines: tuple[str, ...]


def met(*lines: str) -> Evidence:
    return Evidence(True, lines)


def not_met(*lines: str) -> Evidence:
    return Evidence(False, lines)


def outside(*lines: str) -> Evidence:
    return Evidence(None, lines)


def key(case: Case, path: str) -> str:
    """`contact.email: camera@example.jp`"""
    value: Any = case.policy
    for part in path.split("."):
        value = getattr(value, part)
    if hasattr(value, "ja"):
        return f"{path}: {value.ja} / {value.en}"
    if isinstance(value, bool):
        return f"{path}: {str(value).lower()}"
    return f"{path}: {len(value) if isinstance(value, tuple) else value}"


def operator(case: Case) -> Evidence:
    return met(key(case, "operator.name"))


def watching(case: Case) -> Evidence:
    return outside("people have to follow law and opinion", key(case, "review_by"))


def risks(case: Case) -> Evidence:
    return outside("a risk analysis and named managers are yours to write down", *_stages(case))


def _stages(case: Case) -> list[str]:
    return [f"retention.{stage}: {getattr(case.policy.retention, stage)} days" for stage in _STAGES]


def contact(case: Case) -> Evidence:
    return met(key(case, "contact.name"), key(case, "contact.email"))


def dialogue(_case: Case) -> Evidence:
    return outside("surveys and talks are people's work")


def benefit(case: Case) -> Evidence:
    return met(key(case, "benefit"))


def why(case: Case) -> Evidence:
    return met(f"purposes: {', '.join(purpose.id for purpose in case.policy.purposes)}", key(case, "notice.address"))


def lead_time(case: Case) -> Evidence:
    notice = case.policy.notice
    return Evidence(notice.published < notice.start, (key(case, "notice.published"), key(case, "notice.start")))


def both_means(case: Case) -> Evidence:
    return outside("`dashredact notice` writes page and sticker; putting them up is yours", key(case, "notice.address"))


def named_first(case: Case) -> Evidence:
    return met(key(case, "operator.name"), key(case, "purposes"))


def full_notice(case: Case) -> Evidence:
    paths = ("purposes", "contact.email", "benefit", "cameras", "recipients", "notice.start")
    return met("`dashredact notice` writes all of it", *(key(case, path) for path in paths))


def languages(_case: Case) -> Evidence:
    return met("page and sticker are in Japanese and English; the sticker shows a camera")


def on_the_spot(_case: Case) -> Evidence:
    return outside("the sticker has to be on every vehicle")


def visible(_case: Case) -> Evidence:
    return outside(
        "where cameras are and whether they can be seen is decided on the vehicle",
        "known from the Privacy Commission's answer 1-13 on the act",
    )


def sticker(case: Case) -> Evidence:
    return outside("the tool writes sticker and page; the vehicles carry them", key(case, "contact.email"))


def kept(case: Case) -> Evidence:
    return met(f"retention.masked: {case.policy.retention.masked} days")


def repeat(_case: Case) -> Evidence:
    return outside("the tool computes no features of faces, so it cannot recognise who returns")


def joining(_case: Case) -> Evidence:
    return outside("the tool keeps no identities; what is done with its videos elsewhere it cannot see")


def limited(case: Case) -> Evidence:
    lines = (f"recipients: {one.name.en} for {', '.join(one.purposes)}" for one in case.policy.recipients)
    return met(key(case, "purposes"), *lines)


def access(case: Case) -> Evidence:
    return outside("who has an account on the machine is yours to limit", key(case, "review.second_person"))


def handed_on(case: Case) -> Evidence:
    lines = [f"recipients: {one.name.en}, contract {one.contract}" for one in case.policy.recipients]
    return met(*(lines or ["recipients: none"]))


def supervised(case: Case) -> Evidence:
    lines = [f"processors: {one.name.en}, contract {one.contract}" for one in case.policy.processors]
    return outside("supervision is people's work", *lines) if lines else met("processors: none")


def reviewed(case: Case) -> Evidence:
    return Evidence(case.policy.review_by >= case.today, (key(case, "review_by"), f"today: {case.today}"))
