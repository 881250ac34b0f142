"""A draft of the report of a leak to the authority, in Japanese and English: items, dates, what the log knows.

Where each rule is known from stands beside it: read in a copy of the rule, or reported second-hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

PRELIMINARY, FINAL, FINAL_WRONGFUL = (3, 5), 30, 60
"""Days; the day on which it became known is the first, which is the earliest reading."""


@dataclass(frozen=True)
class Dates:
    known: date
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
Not, it is said, where the data was strongly encrypted. The rule is said to have changed in April 2024.

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
    items = (f"{place}. {item[language]}: {_known(place, facts, language)}" for place, item in enumerate(_ITEMS, 1))
    return head + "\n".join(items)


def _known(place: int, facts: Facts, language: int) -> str:
    """What can be said of an item without a person, and room for what cannot."""
    if place == 2:
        return ("車載カメラの映像(下記) ", "Footage of vehicle cameras, listed below. ")[language] + BLANK
    return f"{_COUNT[language].format(faces=facts.faces)} {BLANK}" if place == 3 else BLANK
