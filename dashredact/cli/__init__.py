"""Every command, option and exit code. The only room that knows click."""

from dashredact.cli import audit, check, evaluate, models, notice, policy, probe, redact
from dashredact.cli.app import main

__all__ = ["main"]

for _command in (
    redact.redact,
    probe.probe,
    evaluate.evaluate,
    audit.audit,
    policy.policy,
    notice.notice,
    check.check,
    models.models,
):
    main.add_command(_command)
