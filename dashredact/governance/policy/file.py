"""The policy file, read and begun."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from dashredact import files
from dashredact.errors import PolicyError, UsageError
from dashredact.governance.policy.faults import parse
from dashredact.governance.policy.model import Policy
from dashredact.governance.policy.template import template


@dataclass(frozen=True)
class PolicyFile:
    policy: Policy
    sha256: str
    """of the file's bytes, for the audit log"""


def read(path: Path) -> PolicyFile:
    """UsageError where it cannot be read; PolicyError with a sentence a fault, each after the file's name."""
    try:
        content = path.read_bytes()
        policy = parse(content.decode())
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); name a policy file.") from None
    except UnicodeDecodeError:
        raise PolicyError(f"{path} is not UTF-8 text; save it as UTF-8.") from None
    except PolicyError as error:
        raise PolicyError(*(f"{path}: {fault}" for fault in error.args)) from None
    for number, camera in enumerate(policy.cameras, 1):
        if camera.zones and not (path.parent / camera.zones).is_file():
            raise PolicyError(
                f"{path}: cameras {number}: zones: {camera.zones} is not there; put it beside the policy."
            )
    return PolicyFile(policy, hashlib.sha256(content).hexdigest())


def begin(path: Path) -> None:
    """Write a policy to fill in. UsageError where something is there already."""
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} exists already; name another file.")
    files.private_folder(path.absolute().parent)
    files.write(path, template().encode())
