"""Pages and drawings from the templates beside this file. All that is put in is escaped; nothing is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashredact.governance.notice import notice, phrases
from dashredact.governance.notice.guidebook import Answer, ItemVerdict
from dashredact.governance.notice.sticker import Sticker
from dashredact.governance.policy.model import Policy

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def notice_page(policy: Policy, sha256: str) -> str:
    """HTML, both languages on one page. sha256: of the policy file."""
    parts = [(language, phrases.TITLE[language], notice.sections(policy, language)) for language in phrases.LANGUAGES]
    return _render("notice.html", parts=parts, address=policy.notice.address, version=sha256[:12])


def sticker_svg(sticker: Sticker) -> str:
    return _render("sticker.svg", sticker=sticker)


def guidebook_page(answers: Sequence[Answer], operator: str, when: str) -> str:
    """HTML. operator: name of who films. when: the day of the check."""
    counts = {verdict: sum(answer.verdict is verdict for answer in answers) for verdict in ItemVerdict}
    return _render("guidebook.html", answers=answers, counts=counts, operator=operator, when=when)


def _render(name: str, **values: Any) -> str:
    return _TEMPLATES.get_template(f"{name}.j2").render(values)
