"""Formations, dynos, one-offs and cron in the JSON shapes of Heroku's Platform API v3. Pure, as `shapes` is."""

from __future__ import annotations

import platform

from wherry.api.shapes import SIZE_KIND, Json, Shapes, time
from wherry.domain import autoscale
from wherry.domain.cron import CronRun, Due
from wherry.domain.formation import Scale, Size
from wherry.domain.model import App, Release
from wherry.domain.one_off import OneOff
from wherry.domain.secret import Secret
from wherry.domain.workload import Process
from wherry.flow.task_ports import Stage, TaskState


def formation(shapes: Shapes, app: App, name: str, scale: Scale, release: Release) -> Json:
    return {
        "app": shapes.app_reference(app),
        "autoscaling": autoscale.write(scale.autoscale) if scale.autoscale else None,
        "command": release.image.processes.get(name, ""),
        "created_at": time(app.created_at),
        "dyno_size": shapes.named(SIZE_KIND, scale.size),
        "id": shapes.ids.of(f"formation {name}", app.id),
        "quantity": scale.quantity,
        "size": scale.size,
        "type": name,
        "updated_at": time(app.updated_at),
    }


def dyno_size(shapes: Shapes, size: Size) -> Json:
    """Heroku counts memory in GB; ours in MiB and the part of the machine's cores stand beside."""
    return {
        "architecture": platform.machine(),
        "compute": max(1, size.cpu // 1000),
        "cost": None,
        "dedicated": False,
        "dyno_units": max(1, size.memory // 512),
        "generation": None,
        "memory": size.memory / 1024,
        "precise_dyno_units": size.memory / 512,
        "private_space_only": False,
        **shapes.named(SIZE_KIND, size.name),
        "cpu_thousandths": size.cpu,
        "memory_mib": size.memory,
    }


def dyno(shapes: Shapes, app: App, process: Process, command: str, release_id: int | None, size: str) -> Json:
    release = shapes.reference("release", release_id) or {"id": None}
    return {
        "app": shapes.app_reference(app),
        "attach_url": None,
        "command": command,
        "created_at": time(process.since),
        "detail": process.detail or None,
        "dyno_size": shapes.named(SIZE_KIND, size),
        "id": shapes.ids.of(f"dyno {process.name} v{process.release}", app.id),
        "name": process.name,
        "release": {**release, "version": process.release},
        "restarts": process.restarts,
        "size": size,
        "state": str(process.state),
        "type": process.type,
        "updated_at": time(process.since),
    }


def one_off(shapes: Shapes, app: App, one_off: OneOff, state: TaskState | None, release_id: int) -> Json:
    return {
        "app": shapes.app_reference(app),
        "attach_url": None,
        "command": one_off.command,
        "created_at": time(one_off.created_at),
        "detail": f"inside {one_off.inside}" if one_off.inside else None,
        "dyno_size": shapes.named(SIZE_KIND, one_off.size),
        "id": shapes.ids.of("one-off", one_off.id),
        "name": one_off.name,
        "release": {"id": shapes.ids.of("release", release_id), "version": one_off.release},
        "restarts": 0,
        "size": one_off.size,
        "state": "up" if state and state.stage is Stage.RUNNING else "starting",
        "type": one_off.type,
        "until": time(one_off.until),
        "updated_at": time(state.since if state else one_off.created_at),
    }


def attached(shapes: Shapes, shown: Json, word: Secret, fingerprint: str) -> Json:
    """`shown`, with where somebody may talk to it, once."""
    url = f"rendezvous://{shapes.host()}:{shapes.settings.terminal_port}/{word.reveal()}"
    return {**shown, "attach_fingerprint": fingerprint, "attach_url": url}


def cron_task(shapes: Shapes, app: App, due: Due, last: CronRun | None) -> Json:
    return {
        "app": shapes.app_reference(app),
        "command": due.task.command,
        "concurrency_policy": str(due.task.policy),
        "last_run": cron_run(shapes, app, last) if last else None,
        "maintenance": due.task.paused,
        "next_at": time(due.next_at),
        "number": due.number,
        "schedule": due.task.schedule,
    }


def cron_run(shapes: Shapes, app: App, run: CronRun) -> Json:
    return {
        "app": shapes.app_reference(app),
        "command": run.command,
        "due_at": time(run.due_at),
        "exit_code": run.exit_code,
        "finished_at": time(run.finished_at),
        "id": shapes.ids.of("cron run", run.id),
        "message": run.message or None,
        "name": run.process,
        "output_stream_url": shapes.log_stream(app, "cron", run.id),
        "release": {"version": run.release} if run.release else None,
        "started_at": time(run.started_at),
        "status": str(run.status),
        "task": run.number,
    }
