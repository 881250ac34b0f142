"""A draft of the report of a leak to the authority, in Japanese and English: items, dates, what the log knows.

Each rule says how it is known: read in a copy of the rule, or reported second-hand.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from dashredact import files
from dashredact.audit.clips import Clip, Clips
from dashredact.audit.describe import summary_line
from dashredact.audit.disclosures import disclosures
from dashredact.audit.events import Event, Incident, IncidentReported
from dashredact.errors import UsageError
from dashredact.kinds import Kind
from dashredact.text import printable
from dashredact.workspace.output_folder import OutputFolder

PRELIMINARY, FINAL, FINAL_WRONGFUL = (3, 5), 30, 60
"""Days; the day on which it became known is the first, which is the earliest reading."""


@dataclass(frozen=True)
class Dates:
    known: date
    """day on which it became known"""
    wrongful: bool
    """whether somebody may have acted on purpose, which gives more time for the final report"""

    @property
    def preliminary(self) -> tuple[date, date]:
        first, last = (self.known + timedelta(days=days - 1) for days in PRELIMINARY)
        return first, last

    @property
    def final(self) -> date:
        return self.known + timedelta(days=(FINAL_WRONGFUL if self.wrongful else FINAL) - 1)


@dataclass(frozen=True)
class Facts:
    """What the tool knows; the rest is for people."""

    operator: tuple[str, str]
    """in Japanese and English; a blank line where no policy says"""
    clips: Sequence[str]
    """a line each: name, what there is of it, who has it"""
    faces: int
    """tracks of faces in these clips"""
    log: Sequence[str]
    """lines of the audit log about these clips"""


@dataclass(frozen=True)
class IncidentOptions:
    """A leak as somebody reports it."""

    dates: Dates
    names: Sequence[str]
    """of clips, or patterns of them"""
    operator: tuple[str, str] | None
    """in Japanese and English; None where no policy says"""
    target: Path
    """the text to write"""


def incidents(events: Iterable[Event]) -> list[Incident]:
    """All that were reported, oldest first."""
    return [event.incident for event in events if isinstance(event, IncidentReported) and event.incident]


def report(folder: OutputFolder, options: IncidentOptions, today: date) -> Incident:
    """Write the draft, and its dates into the log. UsageError for a day to come, unknown clips, and a target there."""
    dates = options.dates
    if dates.known > today:
        raise UsageError(f"--known {dates.known} is yet to come; give the day on which it became known.")
    with folder.deciding():
        folder.check_log()
        events = folder.events()
        chosen, unknown = Clips.read(events).named(options.names)
        if unknown:
            raise UsageError(f"The audit log of {folder} knows no clip {unknown[0]}; `audit show` lists them.")
        incident = Incident(
            id=max((one.id for one in incidents(events)), default=0) + 1,
            known=str(dates.known),
            wrongful=dates.wrongful,
            preliminary=str(dates.preliminary[1]),
            final=str(dates.final),
            clips=[clip.name for clip in chosen],
        )
        text = draft(incident.id, dates, _facts(events, chosen, options.operator))
        files.write_new(options.target, text.encode())
        reason = f"Incident {incident.id}: final report by {incident.final}."
        folder.append(IncidentReported(reason=reason, incident=incident))
    return incident


def _facts(events: Sequence[Event], chosen: Sequence[Clip], operator: tuple[str, str] | None) -> Facts:
    lines = sorted((event for clip in chosen for event in clip.events), key=lambda event: event.seq)
    return Facts(
        operator or (BLANK, BLANK),
        [_clip_line(clip, events) for clip in chosen],
        sum(clip.masking.tracks.get(Kind.FACE, {}).get("tracks", 0) for clip in chosen),
        [printable(f"{summary_line(event)}  {event.actor.user}") for event in lines],
    )


def _clip_line(clip: Clip, events: Sequence[Event]) -> str:
    state = "masked / 処理済" if clip.output else "no masked file / 処理済ファイルなし"
    source = "original purged / 元映像は削除済" if clip.erased else "original unmasked / 元映像は未処理"
    who = ", ".join(dict.fromkeys(one.recipient for one in disclosures(events) if one.is_of(clip))) or "-"
    return printable(f"{clip.name}: {state}; {source}; handed to / 提供先: {who}")


_READ = ("条文の写し(2022年4月時点)で確認", "read in a copy of the rule as of April 2022")
_SECOND = ("二次資料による", "reported second-hand")
BLANK = "________"
_ITEMS = (
    ("概要", "Outline"),
    ("漏えい等が発生し、又はそのおそれがある個人データの項目", "Which personal data leaked, or may have"),
    ("本人の数", "How many persons"),
    ("原因", "Cause"),
    ("二次被害又はそのおそれの有無と内容", "Further harm, or danger of it, and which"),
    ("本人への対応の実施状況", "What was done for the persons"),
    ("公表の実施状況", "What was made public"),
    ("再発防止のための措置", "What keeps it from happening again"),
    ("その他参考となる事項", "Anything else of use"),
)
_HEADS = (
    """\
漏えい等報告の下書き(インシデント {id})
下書きであり、法律の助言ではありません。提出前に現行の規則と照らしてください。

事業者: {operator}
知った日: {known}
速報: 概ね3~5日以内 → {first}から{last}({second})
確報: {days}日以内 → {final}({read})
数え方: 知った日を1日目とする、最も早い読み方です(未確認)。

報告が必要な場合({second}):
- 要配慮個人情報、財産的被害のおそれ、不正の目的のおそれ(従業員の持ち出しを含む)。1人でも該当します。
- 1,000人を超える場合。
高度な暗号化がされている場合は不要とされます。規則は2024年4月に改正されたとされます。

報告事項({read})
""",
    """\
Draft of a report of a leak (incident {id})
A draft, and no legal advice. Compare it with the rules in force before you hand it in.

Operating entity: {operator}
Known since: {known}
Preliminary report: within about 3 to 5 days: {first} to {last} ({second})
Final report: within {days} days: {final} ({read})
Counting: the day on which it became known is the first, the earliest reading (not confirmed).

A report is due ({second}):
- for sensitive data, money that may be lost, and wrongful purpose (staff taking data out too): from one person on;
- for more than 1,000 persons.
Reportedly not where the data was strongly encrypted. The rule was reportedly changed in April 2024.

Items of the report ({read})
""",
)
_COUNT = (
    "対象映像の顔の軌跡: {faces}本。人数の目安にすぎません。途切れると多く、検出漏れがあると少なく出ます。",
    "Tracks of faces in these clips: {faces}. A rough figure for persons: broken tracks push it up, missed faces down.",
)


def draft(number: int, dates: Dates, facts: Facts) -> str:
    """The text, Japanese first."""
    parts = [_part(number, dates, facts, language) for language in (0, 1)]
    shared = ["対象映像 / Clips", *(facts.clips or [BLANK]), "", "監査記録 / Audit log", *(facts.log or [BLANK])]
    return "\n\n".join([*parts, "\n".join(shared)]) + "\n"


def _part(number: int, dates: Dates, facts: Facts, language: int) -> str:
    first, last = dates.preliminary
    head = _HEADS[language].format(
        id=number,
        operator=facts.operator[language],
        second=_SECOND[language],
        read=_READ[language],
        known=dates.known,
        first=first,
        last=last,
        final=dates.final,
        days=FINAL_WRONGFUL if dates.wrongful else FINAL,
    )
    items = (f"{number}. {item[language]}: {_known(number, facts, language)}" for number, item in enumerate(_ITEMS, 1))
    return head + "\n".join(items)


def _known(number: int, facts: Facts, language: int) -> str:
    """What the tool can say about an item, and a blank for what people have to write."""
    if number == 2:
        return ("車載カメラの映像(下記) ", "Footage of vehicle cameras, listed below. ")[language] + BLANK
    return f"{_COUNT[language].format(faces=facts.faces)} {BLANK}" if number == 3 else BLANK
