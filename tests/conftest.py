"""For all tests: a clean environment, and no silent skips where all can run."""

from __future__ import annotations

import os

import pytest

for _name in [name for name in os.environ if name.startswith("WHERRY_")]:
    del os.environ[_name]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failed run: this kind of machine can run them all."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("CI") == "true":
        reporter.write_line(f"{len(skipped)} skipped, which CI does not allow", red=True)
        session.exitstatus = 1
