"""Pages from Jinja templates: all values are escaped, and an unknown name is an error.

Values are whatever a camera or an attacker calls a file, and what people type as a reason.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.filters import do_urlencode

from dashredact.text import plural, printable


class Templates:
    """The templates of one folder. They may include each other and nothing else."""

    def __init__(
        self, folder: Path, filters: Mapping[str, Callable[..., Any]] = {}, names: Mapping[str, Any] = {}
    ) -> None:
        """names: what every template may use beside the values that it is rendered with."""
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_shown,
        )
        self._environment.filters |= {"href": _href, "plural": plural, **filters}
        self._environment.globals |= names

    def render(self, name: str, /, **values: Any) -> str:
        return self._environment.get_template(name).render(values)


def _shown(value: Any) -> Any:
    if value is None:
        return "not said"
    return printable(value) if type(value) is str else value


def _href(name: str) -> str:
    """A link to a file beside this one: never another scheme, never another folder."""
    return f"./{do_urlencode(name)}"
