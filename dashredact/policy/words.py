"""Words that the policy and the gates share, without what reads a policy."""

from datetime import date
from enum import StrEnum

Day = date
"""A day as a value: who only compares days need not know what reads the clock."""


class Facing(StrEnum):
    """Where a camera looks."""

    OUTWARD = "outward"
    REAR = "rear"
    CABIN = "cabin"
    UNKNOWN = "unknown"


SECURITY, EVIDENCE = "security", "evidence"
SENSITIVE = (SECURITY, EVIDENCE)
"""Purposes at capture from which another use needs a recorded basis."""

ANSWER_DAYS = 14
"""within which a request is answered where no policy says otherwise"""
