"""The architecture, held to: imports only point down, rooms do not know each other, torch waits until it is needed."""

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import dashredact

_PACKAGE = Path(dashredact.__file__).parent
_BASE = {"errors", "values", "facts", "settings"}
_ALLOWED = {
    "__init__": set(),
    "errors": set(),
    "values": set(),
    "facts": set(),
    "settings": {"values"},
    "stopwatch": set(),
    "policy": {"errors"},
    "pure": {"values", "facts", "settings", "policy"},
    "media": _BASE | {"pure"},
    "detect": _BASE | {"pure"},
    "store": _BASE | {"__init__", "pure", "policy"},
    "public": {"errors", "policy"},
    "look": _BASE | {"stopwatch", "pure", "media", "store"},
    "hide": _BASE | {"stopwatch", "pure", "media", "store"},
    "crew": {"errors", "values"},
    "steps": _BASE | {"stopwatch", "pure", "media", "store", "look", "hide"},
    "pipeline": _BASE | {"pure", "media", "store", "crew", "steps"},
    "account": _BASE | {"pure", "store", "look", "pipeline"},
    "recall": _BASE | {"store"},
    "outcome": {"errors"},
    "admission": _BASE | {"pure", "media", "store"},
    "batch": _BASE | {"pure", "store", "crew", "pipeline", "account", "recall", "admission", "outcome"},
    "unattended": {"outcome", "batch", "crew", "progress", "store"},
    "retention": _BASE | {"pure", "store"},
    "evaluate": _BASE | {"pure", "store"},
    "review": _BASE | {"stopwatch", "pure", "media", "store", "steps", "pipeline", "account", "outcome"},
    "web": _BASE | {"pure"},
    "report": _BASE | {"pure", "media", "store", "web"},
    "handover": _BASE | {"pure", "store", "policy", "public"},
    "personal": _BASE | {"pure", "media", "store", "crew", "pipeline"},
    "searching": _BASE | {"pure", "media", "store"},
    "describe": {"facts", "pure"},
    "progress": {"values"},
    "cli": _BASE
    | {"__init__", "pure", "media", "store", "detect", "describe", "progress", "crew", "outcome", "batch"}
    | {"admission", "retention", "review"}
    | {"unattended", "evaluate", "policy", "public", "pipeline", "report", "handover", "personal", "searching"},
    "__main__": {"cli"},
}
"""Room or module: the rooms and modules that it may import besides itself."""

_OWNERS = {
    "click": {"cli"},
    "defusedxml": {"store"},
    "tqdm": {"progress"},
    "torch": {"detect"},
    "torchvision": {"detect"},
    "onnxruntime": {"detect"},
    "pydantic": {"policy"},
    "jinja2": {"public", "web"},
    "reportlab": {"public"},
    "segno": {"public"},
    "av": {"media", "hide"},
    "cryptography": {"store"},
    "pyrage": {"store"},
}
"""Only they may import these. hide names the type of PyAV's frames."""
_IMPURE = {"os", "io", "subprocess", "time", "datetime", "pathlib", "shutil", "threading", "random", "torch", "av"}
_LONGEST = 250
_LONGER: dict[str, int] = {}
"""Modules over the limit, and what they may not outgrow."""


def _name(path: Path) -> str:
    return ".".join(path.relative_to(_PACKAGE).with_suffix("").parts)


_MODULES = {_name(path): ast.parse(path.read_text()) for path in sorted(_PACKAGE.rglob("*.py"))}


def _room(module: str) -> str:
    return module.partition(".")[0]


def _imports(module: str) -> set[str]:
    """Everything it imports, lazily or not; what is ours without the package's name."""
    found = set()
    for node in ast.walk(_MODULES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{module} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("dashredact.") if name.startswith("dashredact.") else f"/{name}" for name in found}


def _ours(module: str) -> set[str]:
    """Modules of the package, whether they or something in them is imported."""
    names = {name for name in _imports(module) if not name.startswith("/")}
    return {next((m for m in _candidates(n) if m in _MODULES), "__init__") for n in names}


def _candidates(name: str) -> tuple[str, ...]:
    """The module that a name may be, or be in."""
    holder = name.rpartition(".")[0]
    return name, holder, f"{name}.__init__", f"{holder}.__init__"


def _others(module: str) -> set[str]:
    return {name.lstrip("/").split(".")[0] for name in _imports(module) if name.startswith("/")}


@pytest.mark.parametrize("module", _MODULES)
def test_imports_only_point_down(module: str) -> None:
    above = {_room(other) for other in _ours(module)} - _ALLOWED[_room(module)] - {_room(module)}
    assert not above, f"{module} may not import {sorted(above)}"


@pytest.mark.parametrize("module", _MODULES)
def test_a_tool_is_known_to_its_owner_only(module: str) -> None:
    strangers = {tool for tool in _others(module) & _OWNERS.keys() if _room(module) not in _OWNERS[tool]}
    assert not strangers


def test_one_module_only_can_open_a_connection() -> None:
    doors = {"socket", "ssl", "urllib", "http", "ftplib", "smtplib", "asyncio", "requests", "httpx"}
    assert [module for module in _MODULES if _others(module) & doors] == ["detect.adapters.fetch"]


@pytest.mark.parametrize("module", [module for module in _MODULES if _room(module) == "pure"])
def test_arithmetic_knows_no_file_process_clock_or_torch(module: str) -> None:
    assert not _others(module) & _IMPURE


def test_no_import_goes_in_a_circle() -> None:
    graph = {module: _ours(module) - {module} for module in _MODULES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(_MODULES)


@pytest.mark.parametrize("module", _MODULES)
def test_a_module_can_be_read_in_one_go(module: str) -> None:
    path = _PACKAGE / Path(*module.split(".")).with_suffix(".py")
    assert len(path.read_text().splitlines()) <= _LONGER.get(module, _LONGEST)


@pytest.mark.parametrize("module", _MODULES)
def test_every_function_says_what_it_takes_and_gives(module: str) -> None:
    bare = []
    for node in ast.walk(_MODULES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            taken = node.args
            named = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs, taken.vararg, taken.kwarg]
            untyped = [a for a in named if a and a.annotation is None and a.arg not in ("self", "cls")]
            bare += [node.name] if untyped or node.returns is None else []
    assert bare == []


def test_nine_functions_in_ten_are_short() -> None:
    lengths = sorted(
        node.end_lineno - node.lineno + 1
        for tree in _MODULES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.end_lineno
    )
    assert lengths[int(len(lengths) * 0.9)] < 25


@pytest.mark.parametrize(
    "code",
    [
        "import dashredact.pipeline",
        "import dashredact.cli",
        "from dashredact.cli import main; main(['--help'], standalone_mode=False)",
        "from dashredact.cli import main; main(['redact', '--help'], standalone_mode=False)",
        "from dashredact.cli import main; main(['models', 'list'], standalone_mode=False)",
        "import dashredact.pure.gates",
    ],
    ids=["pipeline", "cli", "help", "redact help", "models", "gates"],
)
def test_torch_is_not_loaded_before_it_is_needed(code: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DASHREDACT_")}
    slow = {
        "torch",
        "scipy",
        "torchvision",
        "safetensors",
        "onnxruntime",
        "cryptography",
        "pydantic",
        "pyrage",
        "reportlab",
    }
    check = f"import sys; print('loaded', sorted({slow} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{check}"], env=clean, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "loaded []"
