"""The house itself: what must hold whatever the rooms do."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECURITY_IDS = {
    *(f"T{number:02d}" for number in (1, 2, 3, 4, 8, 14, 15, 20, 21, 24, *range(28, 37), 39)),
    *(
        f"B{number:02d}"
        for number in (6, 7, 8, 10, 42, 43, 50, 51, 52, 54, 55, 56, 57, 59, 60, 61, 62, 63, 85, 87, 88, 90)
    ),
    *(f"A{number:02d}" for number in (6, 7, 17, 18, 20, 21, 22, 24, 26, *range(28, 33), 41, 44, 46)),
}
_SECURITY_ROW = re.compile(r"^\| ([TBA][0-9]{2}) \| [^|]+ \| (.+) \|$", re.MULTILINE)
_NAMED_TEST = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")


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


def _security_rows() -> dict[str, list[tuple[str, str]]]:
    text = (ROOT / "docs" / "security.md").read_text()
    return {id: _NAMED_TEST.findall(tests) for id, tests in _SECURITY_ROW.findall(text)}


def test_every_id_of_the_security_table_has_a_test() -> None:
    found = _security_rows()
    assert set(found) >= SECURITY_IDS
    assert [id for id, tests in found.items() if not tests] == []


def test_every_test_that_the_security_table_names_exists() -> None:
    missing = [
        f"{id}: {path}::{name}"
        for id, tests in _security_rows().items()
        for path, name in tests
        if not (ROOT / path).is_file() or not re.search(rf"^ *def {name}\(", (ROOT / path).read_text(), re.MULTILINE)
    ]
    assert missing == []
