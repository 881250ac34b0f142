"""Pages and drawings from the templates beside this file. A page loads nothing."""

from collections.abc import Sequence
from pathlib import Path

from dashredact.governance.notice import notice, phrases
from dashredact.governance.notice.guidebook import Answer, ItemVerdict
from dashredact.governance.notice.sticker import Sticker
from dashredact.governance.policy.model import Policy
from dashredact.templates import Templates

_TEMPLATES = Templates(Path(__file__).parent / "templates")


def notice_page(policy: Policy, sha256: str) -> str:
    """HTML, both languages on one page. sha256: of the policy file."""
    parts = [(language, phrases.TITLE[language], notice.sections(policy, language)) for language in phrases.LANGUAGES]
    return _TEMPLATES.render("notice.html.j2", parts=parts, address=policy.notice.address, version=sha256[:12])


def sticker_svg(sticker: Sticker) -> str:
    return _TEMPLATES.render("sticker.svg.j2", sticker=sticker)


def guidebook_page(answers: Sequence[Answer], operator: str, when: str) -> str:
    """HTML. operator: name of who films. when: the day of the check."""
    counts = {verdict: sum(answer.verdict is verdict for answer in answers) for verdict in ItemVerdict}
    return _TEMPLATES.render("guidebook.html.j2", answers=answers, counts=counts, operator=operator, when=when)
