"""For all tests: a clean environment, and no silent skips where all can run."""

from __future__ import annotations

import os
import signal

import hypothesis
import pytest

# How long an example takes, or is thought of, says nothing on a machine that has other work.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("house")

# The first that asks for the cluster may have to wait until its programs are built.
_BUILD_SECONDS = 1800

# A shell starts what it runs in the background with SIGINT ignored, and so would all programs of these tests.
signal.signal(signal.SIGINT, signal.default_int_handler)

for _name in [name for name in os.environ if name.startswith("WHERRY_")]:
    del os.environ[_name]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who uses the cluster is marked so and comes last: its programs are built meanwhile, with nothing else in their way."""
    last = [item for item in items if "cluster" in getattr(item, "fixturenames", ())]
    for item in last:
        item.add_marker(pytest.mark.cluster)
    if last:
        last[0].add_marker(pytest.mark.timeout(_BUILD_SECONDS), append=False)
    items.sort(key=lambda item: item.get_closest_marker("cluster") is not None)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failed run: this kind of machine can run them all."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("CI") == "true":
        reporter.write_line(f"{len(skipped)} skipped, which CI does not allow", red=True)
        session.exitstatus = 1
