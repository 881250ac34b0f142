"""The health file, in the text format that the textfile collector of Prometheus' node exporter reads."""

import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from dashredact import files
from dashredact.batch.summary import RunSummary
from dashredact.errors import MachineError
from dashredact.workspace.output_folder import OutputFolder

_HELP = {
    "last_run_timestamp_seconds": "When the last run ended.",
    "last_run_exit_code": "Its exit code.",
    "last_run_seconds": "How long it took.",
    "videos": "Videos of the last run, by outcome.",
    "waiting_videos": "Uploads that are not masked yet, by reason.",
    "oldest_waiting_seconds": "Age of the oldest upload that is not masked yet.",
    "quarantined_videos": "Uploads in quarantine.",
    "needs_review_videos": "Masked videos that wait for a person to review them.",
    "masked_share_max": "Largest mean share of the picture under masks, of the videos masked by the last run.",
    "free_bytes": "Free space on the disk of the output folder.",
}

Values = Mapping[str, float | Mapping[str, float]]
"""By the name of the metric, without its prefix; a metric with labels maps the value of `kind` to its number."""


class HealthFile:
    """Of one run: what is known of it last is written, however it ends."""

    def __init__(self, path: Path | None, folder: OutputFolder) -> None:
        """path: None for a run without such a file."""
        self._path, self._folder = path, folder
        self._summary: Mapping[str, float | Mapping[str, float]] = {}

    def update(self, exit_code: int, seconds: float, summary: RunSummary | None = None) -> None:
        """summary: of the newest look into the inbox; None where nothing more is known than before.

        MachineError where the file cannot be written.
        """
        if summary:
            self._summary = {
                "videos": {str(status): count for status, count in summary.outcomes.items()},
                "waiting_videos": {str(reason): count for reason, count in summary.waiting.items()},
                "oldest_waiting_seconds": summary.oldest_waiting,
                "quarantined_videos": summary.quarantined,
                "needs_review_videos": summary.needs_review,
                "masked_share_max": summary.masked_share,
            }
        if self._path:
            run = {
                "last_run_timestamp_seconds": time.time(),
                "last_run_exit_code": exit_code,
                "last_run_seconds": seconds,
            }
            room = {"free_bytes": shutil.disk_usage(self._folder.path).free} if self._folder.path.is_dir() else {}
            write(self._path, {**run, **room, **self._summary})


def write(path: Path, values: Values) -> None:
    """Replace the file in one step. Readable by all: the collector is another user, and counts name nobody.

    KeyError for a metric that `_HELP` lacks. MachineError where the file cannot be written.
    """
    try:
        files.private_folder(path.absolute().parent)
        files.write(path.absolute(), text(values), 0o644)
    except OSError as error:
        raise MachineError(f"The health file {path} cannot be written ({error.strerror}).") from None


def text(values: Values) -> bytes:
    from prometheus_client import CollectorRegistry, Gauge, generate_latest  # noqa: PLC0415 - takes 0.1 s to load

    registry = CollectorRegistry()
    for name, value in values.items():
        if isinstance(value, Mapping):
            gauge = Gauge(name, _HELP[name], ["kind"], namespace="dashredact", registry=registry)
            for kind, number in value.items():
                gauge.labels(kind).set(number)
        else:
            Gauge(name, _HELP[name], namespace="dashredact", registry=registry).set(value)
    return generate_latest(registry)
