"""The house itself: what must hold whatever the rooms do."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_standard_librarys_platform_still_imports_from_the_root() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import platform; platform.system()"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_every_package_has_its_sign() -> None:
    packages = sorted((ROOT / "platform" / "wherry").rglob("__init__.py"))
    unsigned = [str(path.relative_to(ROOT)) for path in packages if not ast.get_docstring(ast.parse(path.read_text()))]
    assert len(packages) > 10
    assert unsigned == []


def test_no_file_reaches_500_lines() -> None:
    sources = [path for folder in ("platform", "tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources}
    assert {path: lines for path, lines in long.items() if lines >= 500} == {}


def test_the_wsgi_entrance_is_under_15_lines() -> None:
    assert len((ROOT / "app.py").read_text().splitlines()) < 15


def test_every_setting_and_command_of_the_machine_is_in_the_docs() -> None:
    from wherry.settings import Settings
    from wherry.supervisor.__main__ import commands

    text = (ROOT / "docs" / "operations.md").read_text()
    wanted = [row["variable"] for row in Settings.load({}).table()]
    wanted += [f"wherry {name}" for name, command in commands.commands.items() if not command.hidden]
    assert [each for each in wanted if each not in text] == []
