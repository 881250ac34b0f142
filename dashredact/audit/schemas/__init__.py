"""Texts that are shipped: the JSON Schema of every version of the audit log, and the README of an export."""

from pathlib import Path

VERSIONS = (1, 2)
"""Of the audit log's lines, the newest last."""


def file_name(version: int) -> str:
    return f"audit-{version}.json"


def text(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
