"""Text for the cell of a spreadsheet."""


def harmless(cell: str) -> str:
    """A file's name may be a formula, which a spreadsheet would run."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
