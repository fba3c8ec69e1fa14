"""bin/test itself: green is exit code 0, and red in either half is not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# What installs and looks for an engine is another file's, which the copy has without its work.
_NOTHING_TO_SET_UP = """
say() { printf '%s\\n' "$*" >&2; }
need() { :; }; need_platform() { :; }; install_missing() { :; }; make_venv() { :; }; engine_answers() { :; }
"""
_PYTEST = """#!/bin/sh
for each in "$@"; do case $each in --ignore=*) exit "$OTHERS" ;; esac; done
exit "$BUILDERS"
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project of bin/test and of checks that say nothing."""
    (tmp_path / "bin" / "lib").mkdir(parents=True)
    shutil.copy(ROOT / "bin" / "test", tmp_path / "bin" / "test")
    (tmp_path / "bin" / "lib" / "setup.sh").write_text(_NOTHING_TO_SET_UP)
    checks = tmp_path / ".venv" / "bin"
    checks.mkdir(parents=True)
    for name in ("ruff", "mypy", "lint-imports", "python", "pytest"):
        (checks / name).write_text(_PYTEST if name == "pytest" else "#!/bin/sh\n")
        (checks / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(("others", "builders", "code"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (0, 2, 2)])
def test_the_exit_code_is_that_of_the_tests(tree: Path, others: int, builders: int, code: int) -> None:
    environment = {**os.environ, "OTHERS": str(others), "BUILDERS": str(builders)}
    done = subprocess.run([tree / "bin" / "test"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr


def test_a_red_check_is_a_red_run(tree: Path) -> None:
    (tree / ".venv" / "bin" / "mypy").write_text("#!/bin/sh\nexit 1\n")
    environment = {**os.environ, "OTHERS": "0", "BUILDERS": "0"}
    done = subprocess.run([tree / "bin" / "test"], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "Tests" in done.stderr) == (1, False)
