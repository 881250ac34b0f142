"""Text for the cell of a spreadsheet."""


def csv_safe(cell: str) -> str:
    """A file's name may be a formula, which a spreadsheet would run."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
