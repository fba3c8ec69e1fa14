"""What runs now, from the swarm's own records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from wherry.domain.text import printable
from wherry.domain.workload import Endpoint, Process, ProcessState
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.machine.observe import STEADY, moment, started_again
from wherry.runtimes.swarm.services import Service, Services, TaskOf


def processes(services: Services, app_id: int | None) -> list[Process]:
    """In the order of app, release, type and index; of two services of one identity the newest that was ready."""
    best: dict[Identity, Service] = {}
    for each in services.all(app_id):
        other = best.get(each.who)
        if other is None or (each.passed, each.created) > (other.passed, other.created):
            best[each.who] = each
    if not best:
        return []
    nodes = services.nodes()
    tries: dict[str, list[TaskOf]] = defaultdict(list)
    for task in services.tasks():
        tries[task.service].append(task)
    now = datetime.now(UTC)
    found = [_describe(each, tries[each.id], nodes, now) for each in best.values()]
    return sorted(found, key=lambda each: (each.app_id, each.release, each.type, each.index))


def _describe(service: Service, tries: Sequence[TaskOf], nodes: Mapping[str, str], now: datetime) -> Process:
    running = next((each for each in reversed(tries) if each.runs), None)
    ended = next((each for each in reversed(tries) if each.is_over), None)
    restarts = sum(each.is_over for each in tries)
    since = moment(running.since if running else ended.since if ended else service.created)
    state, detail = ProcessState.STARTING, ""
    if running and service.passed and (not restarts or now - since >= STEADY):
        state = ProcessState.UP
    elif not running and ended:
        said = printable(ended.message, 200) if ended.state == "rejected" else f"exited with code {ended.code}"
        state, detail = ProcessState.CRASHED, said
    elif restarts:
        detail = started_again(restarts)
    last = running or ended
    where = nodes.get(last.node, "") if last else ""
    who = service.who
    return Process(
        app_id=who.app_id,
        release=who.release,
        type=who.type,
        index=who.index,
        state=state,
        since=since,
        endpoint=Endpoint(where, service.published) if service.published and service.passed and where else None,
        detail=detail,
        restarts=restarts,
    )
