"""Text for people: counts with their noun, rough times, and names that are safe to show."""


def plural(count: int, noun: str) -> str:
    """`1 video`, `2,000 videos`; for nouns that take an -s."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def rough_time(seconds: float) -> str:
    """`40 s`, `12 min`, `5 h`, `3 days`: one unit, of which there are two or more, but for short times."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def printable(text: str) -> str:
    """On one line, harmless to a terminal and a page: line breaks and control characters as Python writes them."""
    return "".join(char if is_printable(char) else repr(char)[1:-1] for char in text)


def is_printable(char: str) -> bool:
    """Also the wide space of Japanese."""
    return char.isprintable() or char == "\u3000"
