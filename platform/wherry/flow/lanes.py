"""Lanes of the job table: in each, one job at a time."""

from __future__ import annotations


def app_lane(app_id: int) -> str:
    """All that changes what runs: rollouts, scaling, destruction."""
    return f"app-{app_id}"


def route_lane(app_id: int) -> str:
    """What changes the route alone, and waits for no rollout."""
    return f"route-{app_id}"


def cron_lane(run_id: int) -> str:
    """A run waits for nobody: what may run beside what is its task's policy."""
    return f"cron-{run_id}"


def cron_stream(run_id: int) -> str:
    """The name of the log of a cron run."""
    return f"cron-{run_id}"


def build_lane(app_id: int) -> str:
    return f"build-{app_id}"


def build_stream(build_id: int) -> str:
    """The name of a build's log."""
    return f"build-{build_id}"


def release_stream(release_id: int) -> str:
    """The name of a rollout's log."""
    return f"release-{release_id}"
