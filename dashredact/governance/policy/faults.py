"""From the text of a policy to the policy, or to one sentence a fault that says what to write where."""

import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dashredact.errors import PolicyError
from dashredact.governance.policy.model import BothNames, BothTexts, Policy
from dashredact.governance.policy.words import SENSITIVE

_LANGUAGES = {"ja": "in Japanese", "en": "in English"}
_WRONG = {
    "missing": "is missing",
    "string_too_short": "is blank",
    "string_too_long": "is too long",
    "string_pattern_mismatch": "is not written as it should be",
}


def parse(text: str) -> Policy:
    """The policy in a text of TOML. PolicyError holds a sentence for each fault, in the order of the fields."""
    policy = _checked(_content(text))
    if faults := [f"{field}: {fault}." for field, fault in _contradictions(policy)]:
        raise PolicyError(*faults)
    return policy


def _content(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also of numbers with thousands of digits
        raise PolicyError(f"This is not TOML ({error}); correct it, or start again with `policy init`.") from None
    except RecursionError:
        raise PolicyError("This is nested too deeply; start again with `policy init`.") from None


def _checked(content: dict[str, Any]) -> Policy:
    try:
        # As JSON, because strictness there still takes arrays for tuples and words for enumerations.
        return Policy.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        raise PolicyError(*map(_sentence, _outermost_left_out(error.errors()))) from None


def _outermost_left_out(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """A table whose parts are all wrong also counts as wrong itself; its parts say more."""
    above = {error["loc"][:depth] for error in errors for depth in range(len(error["loc"]))}
    return [error for error in errors if error["loc"] not in above]


def _sentence(error: ErrorDetails) -> str:
    field, hint = field_of(error["loc"]), hint_of(error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{field} is not known: delete it, or correct its spelling."
    if error["input"] in ("", []):
        wrong = "is blank"
    elif error["type"] == "value_error":
        wrong = str(error["ctx"]["error"])
    else:
        wrong = _WRONG.get(error["type"], "is not what belongs there")
    return f"{field} {wrong}: write {hint}."


def field_of(path: tuple[str | int, ...]) -> str:
    """`cameras 1: view.ja`, counting from 1."""
    words = ""
    for part in path:
        if isinstance(part, int):
            words += f" {part + 1}:"
        else:
            words += f"{'' if not words else ' ' if words.endswith(':') else '.'}{part}"
    return words.removesuffix(":")


def hint_of(path: tuple[str | int, ...]) -> str:
    """What a clerk writes there."""
    model: type[BaseModel] | None = Policy
    hint = "a table"
    for part in path:
        if isinstance(part, int) or model is None or part not in model.model_fields:
            continue
        field = model.model_fields[part]
        language = f", {_LANGUAGES[part]}" if model in (BothNames, BothTexts) else ""
        hint = f"{hint}{language}" if language else field.description or hint
        model = model_in(field.annotation)
    return f'{hint}, as {{ ja = "...", en = "..." }}' if model in (BothNames, BothTexts) else hint


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, one or several of; None where it holds a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(model_in, get_args(annotation))), None)


def _contradictions(policy: Policy) -> Iterator[tuple[str, str]]:
    """Fields that are well written and do not go together."""
    known = {purpose.id for purpose in policy.purposes}
    offered = ", ".join(sorted(known))
    if policy.notice.start < policy.notice.published:
        yield "notice.start", "lies before notice.published; write that day or a later one"
    if policy.retention.audit < policy.retention.masked:
        yield "retention.audit", "is shorter than retention.masked; write at least as many days"
    for identifier, times in Counter(purpose.id for purpose in policy.purposes).items():
        if times > 1:
            yield "purposes", f"the id {identifier} is used {times} times; give each its own"
    for number, camera in enumerate(policy.cameras, 1):
        if camera.purpose not in known and camera.purpose not in SENSITIVE:
            yield f"cameras {number}: purpose", f"{camera.purpose} is not known; write security, evidence or {offered}"
    for number, recipient in enumerate(policy.recipients, 1):
        for unknown in sorted(set(recipient.purposes) - known):
            yield f"recipients {number}: purposes", f"{unknown} is not known; write {offered}"
