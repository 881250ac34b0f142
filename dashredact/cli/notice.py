"""`notice`: what the people filmed are told."""

import json
from pathlib import Path

import click

from dashredact import files
from dashredact.cli.options import POLICY_FILE


@click.command()
@POLICY_FILE
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Output folder.")
def notice(policy_file: Path, output: Path) -> None:
    """Write the public notice of a policy in Japanese and English: notice.html, sticker.svg, sticker.pdf, notice.json.

    The sticker's QR code leads to notice.address of the policy: publish notice.html there. Everybody may read the page
    and the sticker (0644).

    \b
      dashredact notice --policy policy.toml -o notice/
    """
    from dashredact.governance.notice import notice as public  # noqa: PLC0415 - what reads a policy is slow to load
    from dashredact.governance.notice import pages, pdf, sticker  # noqa: PLC0415
    from dashredact.governance.policy import file as store  # noqa: PLC0415

    read = store.read(policy_file)
    drawn = sticker.draw(read.policy)
    told = public.as_dict(read.policy, read.sha256)
    contents = {
        "notice.html": pages.notice_page(read.policy, read.sha256).encode(),
        "notice.json": (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode(),
        "sticker.svg": pages.sticker_svg(drawn).encode(),
        "sticker.pdf": pdf.sticker_pdf(drawn),
    }
    files.private_folder(output)
    for name, content in contents.items():
        files.write(output / name, content, 0o600 if name == "notice.json" else 0o644)
        click.echo(output / name)
