"""Words that the policy and the gates share, without what reads a policy."""

from enum import StrEnum


class Facing(StrEnum):
    """Which way a camera faces."""

    OUTWARD = "outward"
    REAR = "rear"
    CABIN = "cabin"
    UNKNOWN = "unknown"


SECURITY, EVIDENCE = "security", "evidence"
SENSITIVE = (SECURITY, EVIDENCE)
"""Purposes at capture from which another use needs a recorded basis."""

ANSWER_DAYS = 14
"""within which a request is answered where no policy says otherwise"""
