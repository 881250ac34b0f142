"""The health file, in the text format that Prometheus' node exporter collects."""

from collections.abc import Mapping
from pathlib import Path

from dashredact import files
from dashredact.errors import MachineError

_HELP = {
    "last_run_timestamp_seconds": "When the last run ended.",
    "last_run_exit_code": "Its exit code.",
    "last_run_seconds": "How long it took.",
    "videos": "Videos of the last run, by outcome.",
    "waiting_videos": "Uploads that are not masked yet, by reason.",
    "oldest_waiting_seconds": "Age of the oldest upload that is not masked yet.",
    "quarantined_videos": "Uploads in quarantine.",
    "free_bytes": "Free space on the disk of the output folder.",
}

Values = Mapping[str, float | Mapping[str, float]]
"""by name of the metric; one with labels is a mapping from the label's value"""


def write(path: Path, values: Values) -> None:
    """Replace the file in one step. Others may read it: the collector is another user, and counts name nobody.

    MachineError where it cannot be written.
    """
    try:
        files.private_folder(path.absolute().parent)
        files.write(path.absolute(), text(values).encode(), 0o644)
    except OSError as error:
        raise MachineError(f"The health file {path} cannot be written ({error.strerror}).") from None


def text(values: Values) -> str:
    lines = []
    for name, value in values.items():
        full = f"dashredact_{name}"
        lines += [f"# HELP {full} {_HELP[name]}", f"# TYPE {full} gauge"]
        if isinstance(value, Mapping):
            lines += [f'{full}{{kind="{label}"}} {number:g}' for label, number in value.items()]
        else:
            lines.append(f"{full} {value:.15g}")
    return "\n".join(lines) + "\n"
