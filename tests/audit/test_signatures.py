"""Signatures: who has no key can forge no line, and cannot stop the signing unseen."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from dashredact.audit import chain, heads, signatures, signing
from dashredact.audit.chain import ChainEnd, Signer
from dashredact.audit.heads import EMPTY_HEAD

_FEW = settings(max_examples=40, deadline=None)


def _pair() -> tuple[Signer, signatures.Checkers]:
    """A key, and what checks it; made as `audit.signing` makes them, without files."""
    private = Ed25519PrivateKey.generate()
    name = signing.name_of(private.public_key())
    signer = Signer(name, lambda message: signing.sign(private, message))
    return signer, {name: lambda message, signature: signing.fits(private.public_key(), message, signature)}


OURS, TRUSTED = _pair()
OTHER, _ = _pair()


def _log(*signers: Signer | None, kept: list[str] | None = None, mark: str = "") -> list[str]:
    lines = list(kept or [])
    for signer in signers:
        tip = ChainEnd(len(lines), chain.digest(lines[-1])) if lines else chain.START
        lines.append(chain.chain_line({"name": f"ドラレコ{len(lines)}{mark}"}, tip, signer))
    return lines


def _faulty(lines: list[str]) -> list[int]:
    return [fault.line for fault in signatures.faults(lines, TRUSTED)]


def test_a_signed_log_is_unbroken_and_its_signatures_hold() -> None:
    lines = _log(OURS, OURS, OURS)
    assert list(chain.verify(lines)) == []
    assert _faulty(lines) == []


def test_signing_may_begin_but_not_end() -> None:
    assert _faulty(_log(None, None, OURS, OURS)) == []
    assert signatures.unsigned(_log(None, None, OURS, OURS)) == 2
    assert _faulty(_log(None, OURS, None, OURS, None)) == [3, 5]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_log_without_any_signature_is_a_fault(count: int) -> None:
    assert _faulty(_log(*[None] * count)) == [1]


def test_a_line_of_another_key_is_named() -> None:
    (fault,) = signatures.faults(_log(OURS, OTHER, OURS), TRUSTED)
    assert fault.line == 2 and OTHER.key in fault.reason


def test_a_line_that_claims_our_key_and_is_signed_with_another_is_named() -> None:
    forger = Signer(OURS.key, OTHER.sign)
    assert _faulty(_log(OURS, forger, OURS)) == [2]


@_FEW
@given(st.integers(1, 4), st.integers(0, 3), st.sampled_from([None, OTHER, Signer(OURS.key, OTHER.sign)]), st.data())
def test_a_log_written_anew_without_the_key_is_found(
    count: int, more: int, forger: Signer | None, data: st.DataObject
) -> None:
    kept = data.draw(st.integers(0, count - 1))
    lines = _log(*[OURS] * count)
    forged = _log(*[forger] * (count - kept + more), kept=lines[:kept], mark="forged")
    assert list(chain.verify(forged)) == [], "the chain alone does not tell"
    assert _faulty(forged)[0] == kept + 1


@_FEW
@given(st.data())
def test_a_changed_signed_line_is_found_even_when_its_hashes_are_made_to_fit(data: st.DataObject) -> None:
    lines = _log(OURS, OURS, OURS)
    place = data.draw(st.integers(0, 2))
    told: dict[str, Any] = json.loads(lines[place])
    field = data.draw(st.sampled_from(["name", "prev", "seq", "signature", "schema", "new"]))
    told[field] = data.draw(st.sampled_from(["forged", 7, "", None, "AAAA", "é"]))
    del told["sha256"]
    lines[place] = chain.canonical({**told, "sha256": chain.digest(chain.canonical(told))})
    assert _faulty(lines) == [place + 1]


def test_a_head_needs_a_signature_that_fits() -> None:
    lines = _log(OURS, OURS)
    good = heads.head_of(lines, EMPTY_HEAD, OURS)
    cut = heads.head_of(lines[:1], EMPTY_HEAD)
    assert list(signatures.head_faults(good, TRUSTED)) == []
    forged = [
        cut,
        heads.head_of(lines[:1], EMPTY_HEAD, OTHER),
        cut._replace(key=good.key, signature=good.signature),
        good._replace(bytes=3),
    ]
    assert [len(list(signatures.head_faults(head, TRUSTED))) for head in forged] == [1] * 4


def test_a_lines_signature_does_not_fit_a_head_nor_the_other_way() -> None:
    lines = _log(OURS)
    line, head = json.loads(lines[0]), heads.head_of(lines, EMPTY_HEAD, OURS)
    assert not TRUSTED[OURS.key](heads.message(head), line["signature"])
    assert not TRUSTED[OURS.key](chain.message(line), head.signature)
