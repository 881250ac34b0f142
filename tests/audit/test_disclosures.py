"""Who has to be told that a version they hold is not to be used any more."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from log_lines import PURGED, SOURCE_PURGED, corrected, events, exported, made, reviewed

from dashredact.audit.disclosures import Recall, disclosures, recalls


def _recalls(*lines: dict[str, Any]) -> list[Recall]:
    return recalls(events(*lines))


def test_every_recipient_is_told_once_for_the_version_they_hold() -> None:
    log = [made(1), exported(1, "A"), corrected(2, 1), exported(2, "B"), corrected(3, 2), exported(3, "C")]
    assert [(one.disclosure.recipient, one.line) for one in _recalls(*log)] == [("A", 3), ("B", 5)]


def test_a_deletion_concerns_all_who_got_it_before() -> None:
    log = [made(1), exported(1, "A"), PURGED, made(1), exported(1, "B")]
    assert [(one.disclosure.recipient, one.act, one.reason) for one in _recalls(*log)] == [("A", "purged", "over")]


def test_the_purge_of_a_source_concerns_nobody() -> None:
    assert _recalls(made(1), exported(1), SOURCE_PURGED) == []


def test_a_rejection_concerns_who_holds_that_version_until_it_is_taken_back() -> None:
    log = [made(1), exported(1, "A"), reviewed(1, "rejected", reason="a face")]
    assert [(one.disclosure.recipient, one.act, one.reason) for one in _recalls(*log)] == [("A", "rejected", "a face")]
    assert _recalls(*log, reviewed(1)) == []
    assert _recalls(made(1), reviewed(1, "rejected"), exported(2)) == []


@given(st.lists(st.sampled_from(["export", "correct", "purge"]), max_size=12))
def test_the_recall_list_is_who_holds_a_version_that_is_not_the_newest(acts: list[str]) -> None:
    """Against a book kept by hand."""
    log, version, holders, book = [made(1)], 1, [], []
    for act in acts:
        if act == "export":
            log.append(exported(version))
            holders.append((len(log), version))
        elif act == "correct":
            log.append(corrected(version + 1, version))
            book += [(line, len(log)) for line, held_version in holders if held_version == version]
            version += 1
        else:
            log.append(PURGED)
            book += [(line, len(log)) for line, _ in holders]
    assert sorted((one.disclosure.line, one.line) for one in _recalls(*log)) == sorted(book)
    assert len(disclosures(events(*log))) == len(holders)
