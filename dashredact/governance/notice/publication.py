"""Writes the public notice of a policy: page, sticker, and the same for programs."""

import json
from pathlib import Path

from dashredact import files
from dashredact.governance.notice import notice, pages, pdf, sticker
from dashredact.governance.policy.file import PolicyFile

_PUBLIC, _PRIVATE = 0o644, 0o600


def write(policy: PolicyFile, folder: Path) -> list[Path]:
    """The files, whose names are always the same. PolicyError where the texts do not fit on the sticker."""
    drawing = sticker.draw(policy.policy)
    document = notice.as_dict(policy.policy, policy.sha256)
    contents = {
        "notice.html": (pages.notice_page(policy.policy, policy.sha256).encode(), _PUBLIC),
        "notice.json": ((json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode(), _PRIVATE),
        "sticker.svg": (pages.sticker_svg(drawing).encode(), _PUBLIC),
        "sticker.pdf": (pdf.sticker_pdf(drawing), _PUBLIC),
    }
    files.private_folder(folder)
    for name, (content, mode) in contents.items():
        files.write(folder / name, content, mode)
    return [folder / name for name in contents]
