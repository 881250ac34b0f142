"""Every command, option and exit code. The only room that knows click."""

import click

from dashredact.cli import (
    audit,
    batch,
    check,
    completion,
    corrections,
    doctor,
    evaluate,
    export,
    hold,
    incident,
    models,
    notice,
    policy,
    probe,
    purge,
    redact,
    report,
    request,
    retry,
    review,
    sample,
    status,
    tracks,
)
from dashredact.cli.app import main

__all__ = ["main"]

_SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "Mask": (redact.redact, batch.batch, status.status, retry.retry, probe.probe),
    "Look and decide": (report.report, review.review, tracks.tracks),
    "Account for it": (audit.audit, check.check, policy.policy, notice.notice),
    "Keep, delete, hand over": (purge.purge, hold.hold, export.export, request.request, incident.incident),
    "Set up": (doctor.doctor, models.models, evaluate.evaluate, completion.completion),
}
for _decision in corrections.COMMANDS:
    review.review.add_command(_decision)
review.review.add_command(sample.sample)
for _commands in _SECTIONS.values():
    for _command in _commands:
        main.add_command(_command)
main.sections = {heading: [str(command.name) for command in commands] for heading, commands in _SECTIONS.items()}
