"""The guidebook's items, in our own words, and whether a policy and an audit log meet each of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from dashredact.governance.notice import evidence, log_evidence
from dashredact.governance.notice.evidence import Case, Evidence
from dashredact.text import plural


class ItemVerdict(StrEnum):
    MET = "met"
    NOT_MET = "not met"
    OUTSIDE = "outside the tool"


_URGENCY = (ItemVerdict.NOT_MET, ItemVerdict.OUTSIDE, ItemVerdict.MET)


class Certainty(StrEnum):
    """How well we know that the guidebook asks for it."""

    READ = "read in the guidebook"
    REPORTED = "reported second-hand"
    UNCONFIRMED = "not confirmed: recalled, not seen in a text"


class Item(NamedTuple):
    id: str
    asks: str
    certainty: Certainty
    judge: Callable[[Case], Evidence]


@dataclass(frozen=True)
class Answer:
    item: Item
    verdict: ItemVerdict
    evidence: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        item = self.item
        return {
            "item": item.id,
            "asks": item.asks,
            "verdict": str(self.verdict),
            "evidence": list(self.evidence),
            "standing": str(item.certainty),
        }


_R, _S, _U = Certainty.READ, Certainty.REPORTED, Certainty.UNCONFIRMED

ITEMS = (
    Item("B1", "name who runs the use and answers for it", _S, evidence.operator),
    Item("B2", "follow changes of law, technology and opinion, and adapt", _S, evidence.watching),
    Item("B3", "weigh risks over the life of the data; say who manages the system", _R, evidence.risks),
    Item("B4", "one contact point for questions and complaints", _R, evidence.contact),
    Item("B5", "keep up a dialogue with the people filmed", _S, evidence.dialogue),
    Item("B6", "state plainly what citizens gain", _U, evidence.benefit),
    Item("B7", "make known that images are taken, and why", _S, evidence.why),
    Item("B8", "take only what the purpose needs", _S, log_evidence.only_needed),
    Item("N1", "give notice before the start", _R, evidence.lead_time),
    Item("N2", "give notice both on the spot and online", _R, evidence.both_means),
    Item("N3", "the notice names the operator and the purpose", _R, evidence.named_first),
    Item(
        "N3'",
        "the notice gives capture and purpose, contact, benefit, cameras and view, derived data, whether a person"
        " can be identified, recipients and start",
        _U,
        evidence.full_notice,
    ),
    Item("N4", "more languages than Japanese; plain words, pictograms", _U, evidence.languages),
    Item("C1", "tell people at the place and time of filming", _U, evidence.on_the_spot),
    Item("C2", "make the camera recognisable", _S, evidence.visible),
    Item("C3", "on moving vehicles: sticker, page and contact in place of telling each person", _U, evidence.sticker),
    Item("C4", "identify nobody while filming; no hidden purpose", _R, log_evidence.no_hidden_purpose),
    Item("H1", "discard captured images promptly", _R, log_evidence.discarded),
    Item("H2", "a settled way of masking that cannot be undone", _U, log_evidence.masked),
    Item("H3", "keep what is made only as long as needed, and say how long", _U, evidence.kept),
    Item("H4", "make people caught by chance unrecognisable before use", _U, log_evidence.by_chance),
    Item("H5", "repeat-visit analysis: extra notice and a way to opt out", _U, evidence.repeat),
    Item("H6", "no joining with member data to identify people", _S, evidence.joining),
    Item("H7", "limit what results are used for", _S, evidence.limited),
    Item("M1", "keep images and derived data safe", _U, log_evidence.safe),
    Item("M2", "limit who may use and see them, and for what", _U, evidence.access),
    Item("M3", "hand on only under a contract that forbids finding out who was filmed", _S, evidence.handed_on),
    Item("M4", "supervise those who process on your behalf", _S, evidence.supervised),
    Item("M5", "answer requests for disclosure and stopping; report breaches", _S, log_evidence.requests),
    Item("M6", "review and improve regularly", _S, evidence.reviewed),
)


def check(case: Case) -> tuple[Answer, ...]:
    """One answer an item, in the guidebook's order."""
    return tuple(_answer(item, item.judge(case)) for item in ITEMS)


def _answer(item: Item, evidence_: Evidence) -> Answer:
    verdict = {True: ItemVerdict.MET, False: ItemVerdict.NOT_MET, None: ItemVerdict.OUTSIDE}[evidence_.is_met]
    return Answer(item, verdict, evidence_.lines)


def unmet_first(answers: Sequence[Answer]) -> list[Answer]:
    """First what is not met, then what lies outside the tool; within each in the guidebook's order."""
    return sorted(answers, key=lambda answer: _URGENCY.index(answer.verdict))


def summary(answers: Sequence[Answer]) -> str:
    """`2 of 30 items are not met: B8, C4. 16 are met, 12 are outside the tool.`"""
    by_verdict = {verdict: [one.item.id for one in answers if one.verdict is verdict] for verdict in ItemVerdict}
    unmet = by_verdict[ItemVerdict.NOT_MET]
    are = "is" if len(unmet) == 1 else "are"
    names = f": {', '.join(unmet)}" if unmet else ""
    others = f"{len(by_verdict[ItemVerdict.MET])} met, {len(by_verdict[ItemVerdict.OUTSIDE])} outside the tool"
    return f"{len(unmet)} of {plural(len(answers), 'item')} {are} not met{names}. The others: {others}."
