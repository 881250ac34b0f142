"""`notice`: what the people filmed are told."""

from pathlib import Path

import click

from dashredact.cli.grammar import command, command_option
from dashredact.cli.options import FOLDER_TO_WRITE, POLICY_FILE


@command()
@POLICY_FILE
@command_option("-o", "--output", required=True, type=FOLDER_TO_WRITE, help="Output folder.")
def notice(policy_file: Path, output: Path) -> None:
    """Write the public notice of a policy in Japanese and English: notice.html, sticker.svg, sticker.pdf, notice.json.

    The sticker's QR code leads to notice.address of the policy: publish notice.html there. Everybody may read the page
    and the sticker (0644).

    \b
      dashredact notice --policy policy.toml -o notice/
    """
    from dashredact.governance.notice import publication  # noqa: PLC0415 - what reads a policy is slow to load
    from dashredact.governance.policy import file as store  # noqa: PLC0415

    for path in publication.write(store.read(policy_file), output):
        click.echo(path)
