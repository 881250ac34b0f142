"""`notice`: what the people filmed are told."""

from pathlib import Path

import click

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
    from dashredact.governance.notice import publication  # noqa: PLC0415 - what reads a policy is slow to load
    from dashredact.governance.policy import file as store  # noqa: PLC0415

    for path in publication.write(store.read(policy_file), output):
        click.echo(path)
