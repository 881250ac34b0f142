"""What the notice says, section by section, from the policy."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dashredact.governance.notice import phrases
from dashredact.governance.notice.phrases import LANGUAGES, Language
from dashredact.governance.policy.model import Camera, Policy
from dashredact.governance.policy.words import Facing

SCHEMA = "dashredact/notice/1"
_PUBLIC: Any = {
    "benefit": True,
    "operator": True,
    "contact": True,
    "notice": True,
    "purposes": True,
    "cameras": {"__all__": {"facing", "purpose", "view"}},
    "retention": {"captured", "masked", "audit"},
    "recipients": {"__all__": {"name", "purposes"}},
    "processors": {"__all__": {"name", "task"}},
}
"""Contract numbers, file patterns and review rules are nobody's business outside."""


@dataclass(frozen=True)
class Section:
    key: str
    heading: str
    lines: tuple[str, ...]


def sections(policy: Policy, language: Language) -> tuple[Section, ...]:
    lines = {
        "operator": (getattr(policy.operator.name, language),),
        "purposes": (phrases.FILMED[language], *(getattr(purpose.name, language) for purpose in policy.purposes)),
        "benefit": (getattr(policy.benefit, language),),
        "cameras": tuple(_cameras(policy, language)),
        "made": tuple(_of_each(policy, language, "made")),
        "masking": (phrases.MASKING[language],),
        "identifiable": (*_of_each(policy, language, "identifiable"), phrases.CONTEXT[language]),
        "recipients": tuple(_recipients(policy, language)) or (phrases.NOBODY[language],),
        "processors": tuple(_processors(policy, language)) or (phrases.NOBODY[language],),
        "retention": tuple(_retention(policy, language)),
        "contact": tuple(contact(policy, language)),
        "start": tuple(_start(policy, language)),
    }
    return tuple(Section(key, phrases.HEADINGS[key][language], text) for key, text in lines.items())


def as_dict(policy: Policy, sha256: str) -> dict[str, Any]:
    """For JSON: the public part of the policy, and the text of the page. sha256: of the policy file."""
    text = {
        language: {
            "title": phrases.TITLE[language],
            "sections": [asdict(section) for section in sections(policy, language)],
        }
        for language in LANGUAGES
    }
    facts = policy.model_dump(mode="json", include=_PUBLIC)
    return {"schema": SCHEMA, "policy_sha256": sha256, "policy": facts, "text": text}


def contact(policy: Policy, language: Language) -> Iterator[str]:
    desk = policy.contact
    yield getattr(desk.name, language)
    yield desk.email
    if desk.phone:
        yield desk.phone


def _cameras(policy: Policy, language: Language) -> Iterator[str]:
    area = getattr(policy.notice.area, language)
    yield phrases.VEHICLES[language].format(count=policy.notice.vehicles, area=area)
    for camera in policy.cameras:
        facing, view = phrases.FACING[camera.facing][language], getattr(camera.view, language)
        purpose = _names(policy, [camera.purpose], language)
        text = phrases.CAPTURED_FOR[language].format(facing=facing, view=view, purpose=purpose)
        yield f"{text}{_unused(camera, language)}"


def _unused(camera: Camera, language: Language) -> str:
    return phrases.UNUSED[language] if camera.facing in (Facing.CABIN, Facing.UNKNOWN) else ""


def _names(policy: Policy, ids: Sequence[str], language: Language) -> str:
    known = {key: words[language] for key, words in phrases.SENSITIVE.items()}
    known |= {purpose.id: getattr(purpose.name, language) for purpose in policy.purposes}
    return ("、" if language == "ja" else "; ").join(known[key] for key in ids)


def _of_each(policy: Policy, language: Language, what: str) -> Iterator[str]:
    for purpose in policy.purposes:
        value = getattr(purpose, what)
        text = phrases.IDENTIFIABLE[value][language] if isinstance(value, bool) else getattr(value, language)
        yield f"{getattr(purpose.name, language)}: {text}"


def _recipients(policy: Policy, language: Language) -> Iterator[str]:
    for recipient in policy.recipients:
        purposes = _names(policy, recipient.purposes, language)
        yield phrases.FOR[language].format(name=getattr(recipient.name, language), purposes=purposes)


def _processors(policy: Policy, language: Language) -> Iterator[str]:
    for processor in policy.processors:
        yield f"{getattr(processor.name, language)}: {getattr(processor.task, language)}"


def _retention(policy: Policy, language: Language) -> Iterator[str]:
    for stage, words in phrases.STAGES.items():
        yield words[language].format(days=getattr(policy.retention, stage))


def _start(policy: Policy, language: Language) -> Iterator[str]:
    yield phrases.STARTED[language].format(start=phrases.day(policy.notice.start, language))
    yield phrases.PUBLISHED[language].format(published=phrases.day(policy.notice.published, language))
