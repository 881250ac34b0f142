"""What the exit codes mean, as the program's help says it; docs/exit-codes.md says what to do about them too."""

from dashredact.errors import ExitCode

_MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.BUG: "a fault of this tool",
    ExitCode.USAGE: "wrong command line, option file or variable, or nothing there to do it to",
    ExitCode.SOME_FAILED: "some videos were refused or failed, or a file is not the one that the log names",
    ExitCode.NOT_READY: "the machine is not ready: ffmpeg, weights, device, disk",
    ExitCode.NEEDS_REVIEW: "done, and a person should look",
    ExitCode.LOCKED: "another run holds the output folder, or another person decides about it",
    ExitCode.LEDGER_BROKEN: "the audit log is broken",
    ExitCode.REFUSED_BY_POLICY: "refused by the policy",
    ExitCode.SIGNAL: "stopped by signal N",
}


def rows() -> list[tuple[str, str]]:
    """Code and meaning."""
    codes = {code: "128+N" if code is ExitCode.SIGNAL else str(int(code)) for code in _MEANINGS}
    return [(codes[code], meaning) for code, meaning in _MEANINGS.items()]
