"""The architecture, held to: imports only point down, a tool has one owner, torch waits until it is needed."""

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import dashredact

_PACKAGE = Path(dashredact.__file__).parent

LAYERS = (
    {"errors", "text"},
    {"kinds"},
    {"__init__"},
    {"values"},
    {"settings"},
    {"files", "progress", "templates"},
    {"imaging"},
    {"formats.validation", "formats.spreadsheet"},
    {"tracking"},
    {"media", "formats"},
    {"detect", "workspace", "audit", "execute"},
    {"pipeline"},
    {"governance.policy"},
    {"review", "evaluate"},
    {"report"},
    {"batch", "governance"},
    {"api", "doctor"},
    {"cli"},
    {"__main__"},
)
"""From the bottom up: a room may import itself and what stands in lower lines."""

APART = {"pipeline": "detect", "media": "formats", "detect": "workspace", "execute": "audit"}
"""Rooms that never import the other one, whatever line they stand in."""

OWNERS = {
    "click": {"cli"},
    "defusedxml": {"formats"},
    "tqdm": {"progress"},
    "torch": {"detect"},
    "torchvision": {"detect"},
    "onnx": {"detect"},
    "onnxruntime": {"detect"},
    "pydantic": {"governance"},
    "jinja2": {"templates"},
    "prometheus_client": {"batch"},
    "reportlab": {"governance"},
    "segno": {"governance"},
    "av": {"media", "pipeline"},
    "cryptography": {"audit"},
    "pyrage": {"governance"},
}
"""Only they may import these. pipeline names the type of PyAV's frames."""

PURE = (
    *("kinds", "imaging", "tracking", "media.info", "media.segmentation"),
    *("audit.events", "audit.chain", "audit.heads", "audit.signatures", "audit.clips", "audit.subject_requests"),
    *("audit.corrections", "audit.disclosures"),
    *("review.flags", "review.draws", "review.miss_bound", "evaluate.metrics"),
    *("governance.policy.gates", "governance.retention.inventory", "pipeline.recheck"),
)
"""Modules, or all of a room, that touch no file, process, clock or torch."""
_IMPURE = {"os", "io", "subprocess", "time", "datetime", "pathlib", "shutil", "threading", "random", "torch", "av"}


def _name(path: Path) -> str:
    parts = path.relative_to(_PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


_FRONT = _PACKAGE / "__init__.py"
"""Names what is public, for type checkers only; that importing it loads nothing is a test of its own."""
_MODULES = {_name(path): ast.parse(path.read_text()) for path in sorted(_PACKAGE.rglob("*.py")) if path != _FRONT}


def _layer(module: str) -> int:
    """Of the longest name in LAYERS that the module's begins with."""
    lines = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
    parts = module.split(".")
    return next(lines[name] for n in range(len(parts), 0, -1) if (name := ".".join(parts[:n])) in lines)


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
    return {next((m for m in (name, name.rpartition(".")[0]) if m in _MODULES), "__init__") for name in names}


def _others(module: str) -> set[str]:
    return {name.lstrip("/").split(".")[0] for name in _imports(module) if name.startswith("/")}


def _room(module: str) -> str:
    return module.partition(".")[0]


def test_imports_only_point_down() -> None:
    """Or sideways, inside one line: no cycle there is another test's matter."""
    climbing = [
        f"{module} → {other}" for module in _MODULES for other in _ours(module) if _layer(other) > _layer(module)
    ]
    assert climbing == []


def test_rooms_that_stand_apart_do_not_know_each_other() -> None:
    meeting = [
        f"{module} → {other}"
        for module in _MODULES
        for other in _ours(module)
        if APART.get(_room(module)) == _room(other)
    ]
    assert meeting == []


def test_no_module_and_no_room_imports_in_a_circle() -> None:
    modules = {module: _ours(module) - {module} for module in _MODULES}
    assert len(list(TopologicalSorter(modules).static_order())) >= len(_MODULES)
    rooms: dict[str, set[str]] = {}
    for module, others in modules.items():
        rooms.setdefault(_room(module), set()).update(map(_room, others))
    rooms = {room: others - {room} for room, others in rooms.items()}
    assert list(TopologicalSorter(rooms).static_order())


def test_a_tool_is_known_to_its_owner_only() -> None:
    strangers = [
        f"{module} → {tool}"
        for module in _MODULES
        for tool in _others(module) & OWNERS.keys()
        if _room(module) not in OWNERS[tool]
    ]
    assert strangers == []


def test_one_module_only_can_open_a_connection() -> None:
    doors = {"socket", "ssl", "urllib", "http", "ftplib", "smtplib", "asyncio", "requests", "httpx"}
    assert [module for module in _MODULES if _others(module) & doors] == ["detect.external.fetch"]


def test_arithmetic_knows_no_file_process_clock_or_torch() -> None:
    pure = [module for module in _MODULES if any(module == name or module.startswith(f"{name}.") for name in PURE)]
    assert len(pure) >= len(PURE)
    assert {module: found for module in pure if (found := _others(module) & _IMPURE)} == {}


@pytest.mark.parametrize(
    "code",
    [
        "import dashredact",
        "import dashredact.pipeline.video",
        "import dashredact.cli",
        "from dashredact.cli import main; main(['--help'], standalone_mode=False)",
        "from dashredact.cli import main; main(['redact', '--help'], standalone_mode=False)",
        "from dashredact.cli import main; main(['models', 'list'], standalone_mode=False)",
    ],
    ids=["package", "pipeline", "cli", "help", "redact help", "models"],
)
def test_torch_is_not_loaded_before_it_is_needed(code: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DASHREDACT_")}
    slow = {
        *("torch", "torchvision", "scipy", "safetensors", "onnx", "onnxruntime"),
        *("cryptography", "prometheus_client", "pydantic", "pyrage", "reportlab"),
    }
    check = f"import sys; print('loaded', sorted({slow} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{check}"], env=clean, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "loaded []"
