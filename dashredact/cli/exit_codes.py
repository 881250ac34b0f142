"""What the exit codes mean and ask for; the program's help and docs/exit-codes.md say the same."""

from dashredact.errors import ExitCode

MEANINGS: dict[ExitCode, tuple[str, str]] = {
    ExitCode.OK: ("done", ""),
    ExitCode.BUG: ("a fault of this tool", "report it, with the line that it printed; other videos are done"),
    ExitCode.USAGE: (
        "wrong command line, option file or variable, or nothing there to do it to",
        "read the message; is the share mounted?",
    ),
    ExitCode.SOME_FAILED: (
        "some videos were refused or failed",
        "read the reasons on stderr or in the audit log; the others are done",
    ),
    ExitCode.NOT_READY: (
        "the machine is not ready: ffmpeg, weights, device, disk",
        "`dashredact doctor` says what is missing; then run again",
    ),
    ExitCode.NEEDS_REVIEW: (
        "done, and a person should look",
        "see `dashredact review list`, or what the command printed",
    ),
    ExitCode.LOCKED: ("another run holds the output folder, or another person decides about it", "wait"),
    ExitCode.LEDGER_BROKEN: (
        "the audit log is broken, or a file is not the one that it names",
        "touch nothing, keep a copy, and find out who changed it",
    ),
    ExitCode.REFUSED_BY_POLICY: ("refused by the policy", "change what the message names"),
    ExitCode.SIGNAL: ("stopped by signal N", "run the same command again, it goes on"),
}


def name_of(code: ExitCode) -> str:
    return "128+N" if code is ExitCode.SIGNAL else str(int(code))


def rows() -> list[tuple[str, str]]:
    """Code and meaning, for help."""
    return [(name_of(code), meaning) for code, (meaning, _) in MEANINGS.items()]
