"""Our nouns in the JSON shapes of Heroku's Platform API v3. Pure: no reading, no deciding.

Fields of theirs that have no meaning here yet are there with their empty value, since typed clients expect the key.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from wherry.api.ids import Ids
from wherry.api.tickets import LogTicket, Tickets
from wherry.domain import autoscale
from wherry.domain.build_settings import BUILDPACKS, STACKS
from wherry.domain.cron import CronRun, Due
from wherry.domain.difference import Change, stack_of
from wherry.domain.domains import CustomDomain
from wherry.domain.formation import SIZES, Formation, Scale, Size
from wherry.domain.model import Actor, App, Build, BuildStatus, Release
from wherry.domain.one_off import OneOff
from wherry.domain.retention import Standing
from wherry.domain.secret import Secret
from wherry.domain.ssh_keys import UserKey
from wherry.domain.workload import Process
from wherry.flow.task_ports import Stage, TaskState
from wherry.settings import Settings
from wherry.sources.ssh_folder import SshAddress

Json = dict[str, object]

REGION = "local"
SIZE_KIND, REGION_KIND, STACK_KIND = "size", "region", "stack"


def time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


@dataclass(frozen=True)
class Shapes:
    """`base` is the URL that the client reached us by, without a slash at its end."""

    settings: Settings
    ids: Ids
    tickets: Tickets
    base: str
    ssh: SshAddress | None = None

    def app(self, app: App, current: Release | None) -> Json:
        return {
            "acm": False,
            "archived_at": None,
            "build_stack": self._stack(app.build.stack),
            "buildpack_provided_description": None,
            "created_at": time(app.created_at),
            "deploy_branch": app.deploy_branch,
            "git_url": f"{self.base}/{app.name}.git",
            "id": self.ids.of("app", app.id),
            "internal_routing": False,
            "maintenance": app.maintenance,
            "name": app.name,
            "organization": None,
            "owner": self._user(app.owner),
            "region": self._named(REGION_KIND, REGION),
            "released_at": time(current.finished_at or current.created_at) if current else None,
            "repo_size": None,
            "slug_size": None,
            "space": None,
            "ssh_git_url": self.ssh.url(self._host(), app.name) if self.ssh else None,
            "ssh_host_key": self.ssh.fingerprint if self.ssh else None,
            "stack": self._stack(stack_of(current.image) if current else app.build.stack),
            "team": None,
            "updated_at": time(app.updated_at),
            "web_url": self.settings.app_url(app.name) + "/",
        }

    def stack(self, name: str) -> Json:
        return {
            **self._stack(name),
            "created_at": None,
            "default": name == BUILDPACKS,
            "state": "public",
            "updated_at": None,
        }

    def domain(self, app: App, domain: CustomDomain, proof_name: str, proof: str) -> Json:
        """Beside Heroku's fields: the TXT record that proves it, while it waits or is no longer there, what was found
        instead, and since when that is told.
        """
        waits = domain.verified_at is None
        return {
            **self._domain(app, domain.name, self.ids.of("domain", domain.id)),
            "cname": f"{app.name}.{self.settings.apps_domain}",
            "created_at": time(domain.created_at),
            "doubted_at": time(domain.doubted_at),
            "kind": "custom",
            "proof": {"name": proof_name, "type": "TXT", "value": proof} if waits or domain.missing_since else None,
            "reason": domain.reason or None,
            "status": "pending" if waits else "succeeded",
            "updated_at": time(domain.verified_at or domain.checked_at or domain.created_at),
        }

    def own_domain(self, app: App) -> Json:
        """NAME of the platform's own domain for apps."""
        return {
            **self._domain(app, f"{app.name}.{self.settings.apps_domain}", self.ids.of("own domain", app.id)),
            "cname": None,
            "created_at": time(app.created_at),
            "doubted_at": None,
            "kind": "heroku",
            "proof": None,
            "reason": None,
            "status": "succeeded",
            "updated_at": time(app.updated_at),
        }

    def region(self) -> Json:
        return {
            **self._named(REGION_KIND, REGION),
            "country": "",
            "created_at": None,
            "description": "Where this platform runs",
            "locale": "",
            "private_capable": False,
            "provider": {"name": "wherry", "region": REGION},
            "updated_at": None,
        }

    def preboot(self, app: App) -> Json:
        """Heroku's name for what every release does here."""
        return {
            "created_at": time(app.created_at),
            "description": "New processes are up before the old ones stop.",
            "display_name": "Preboot",
            "doc_url": "",
            "enabled": True,
            "feedback_email": "",
            "id": self.ids.of("feature preboot", app.id),
            "name": "preboot",
            "state": "general",
            "updated_at": time(app.created_at),
        }

    def buildpack(self, place: int, name: str) -> Json:
        """Heroku names those of its own registry by URN, and others by URL."""
        url = name if name.startswith(("./", "docker:")) or "://" in name else f"urn:buildpack:{name}"
        return {"buildpack": {"name": name, "url": url}, "ordinal": place}

    def release(self, app: App, release: Release, standing: Standing) -> Json:
        build = self._ref("build", release.build_id)
        settings = release.settings
        return {
            "addon_plan_names": [],
            "app": self._app(app),
            "artifacts": [{"id": build["id"], "type": "image"}] if build else [],
            "build": build,
            "buildpacks": None if settings is None else list(settings.buildpacks),
            "commit": release.commit or None,
            "created_at": time(release.created_at),
            "current": release.number == standing.current,
            "description": release.description,
            "eligible_for_rollback": standing.kept(release),
            "failure": release.failure or None,
            "formation": _scales(release.formation),
            "id": self.ids.of("release", release.id),
            "image": {"digest": release.image.digest, "repository": release.image.repository},
            "message": release.message or None,
            "output_stream_url": self._stream(app, "release", release.id),
            "processes": dict(release.image.processes),
            "slug": build or self._ref("slug", release.id),
            "stack": stack_of(release.image),
            "status": str(release.status),
            "updated_at": time(release.finished_at or release.created_at),
            "user": self._user(release.actor),
            "version": release.number,
        }

    def release_reference(self, release: Release) -> Json:
        return {"id": self.ids.of("release", release.id), "version": release.number}

    def change(self, change: Change) -> Json:
        return {"after": change.after, "area": change.area, "before": change.before, "name": change.name or None}

    def build(self, app: App, build: Build, release: Release | None) -> Json:
        """Heroku knows pending, succeeded and failed; what runs is pending to its clients, our own word stands beside."""
        return {
            "app": self._app(app),
            "buildpacks": [],
            "branch": build.branch,
            "created_at": time(build.created_at),
            "failure": build.failure or None,
            "id": self.ids.of("build", build.id),
            "message": build.message or None,
            "number": build.id,
            "output_stream_url": self._stream(app, "build", build.id),
            "phase": str(build.status),
            "release": self.release_reference(release) if release else None,
            "slug": {"id": self.ids.of("build", build.id)} if build.image else None,
            "source_blob": {"checksum": None, "url": None, "version": build.source.commit, "version_description": None},
            "stack": stack_of(build.image) if build.image else BUILDPACKS,
            "status": _heroku_status(build.status),
            "updated_at": time(build.finished_at or build.created_at),
            "user": self._user(build.actor),
        }

    def formation(self, app: App, name: str, scale: Scale, release: Release) -> Json:
        return {
            "app": self._app(app),
            "autoscaling": autoscale.write(scale.autoscale) if scale.autoscale else None,
            "command": release.image.processes.get(name, ""),
            "created_at": time(app.created_at),
            "dyno_size": self._named(SIZE_KIND, scale.size),
            "id": self.ids.of(f"formation {name}", app.id),
            "quantity": scale.quantity,
            "size": scale.size,
            "type": name,
            "updated_at": time(app.updated_at),
        }

    def cron_task(self, app: App, due: Due, last: CronRun | None) -> Json:
        return {
            "app": self._app(app),
            "command": due.task.command,
            "concurrency_policy": str(due.task.policy),
            "last_run": self.cron_run(app, last) if last else None,
            "maintenance": due.task.paused,
            "next_at": time(due.next_at),
            "number": due.number,
            "schedule": due.task.schedule,
        }

    def cron_run(self, app: App, run: CronRun) -> Json:
        return {
            "app": self._app(app),
            "command": run.command,
            "due_at": time(run.due_at),
            "exit_code": run.exit_code,
            "finished_at": time(run.finished_at),
            "id": self.ids.of("cron run", run.id),
            "message": run.message or None,
            "name": run.process,
            "output_stream_url": self._stream(app, "cron", run.id),
            "release": {"version": run.release} if run.release else None,
            "started_at": time(run.started_at),
            "status": str(run.status),
            "task": run.number,
        }

    def dyno_size(self, size: Size) -> Json:
        """Heroku counts memory in GB; ours in MiB and the part of the machine's cores stand beside."""
        return {
            "architecture": platform.machine(),
            "compute": max(1, size.cpu // 1000),
            "cost": None,
            "dedicated": False,
            "dyno_units": max(1, size.memory // 512),
            "generation": None,
            "memory": size.memory / 1024,
            "precise_dyno_units": str(size.memory / 512),
            "private_space_only": False,
            **self._named(SIZE_KIND, size.name),
            "cpu_thousandths": size.cpu,
            "memory_mib": size.memory,
        }

    def dyno(self, app: App, process: Process, command: str, release_id: int | None, size: str) -> Json:
        release = self._ref("release", release_id) or {"id": None}
        return {
            "app": self._app(app),
            "attach_url": None,
            "command": command,
            "created_at": time(process.since),
            "detail": process.detail or None,
            "dyno_size": self._named(SIZE_KIND, size),
            "id": self.ids.of(f"dyno {process.name} v{process.release}", app.id),
            "name": process.name,
            "release": {**release, "version": process.release},
            "restarts": process.restarts,
            "size": size,
            "state": str(process.state),
            "type": process.type,
            "updated_at": time(process.since),
        }

    def _domain(self, app: App, name: str, domain_id: str) -> Json:
        return {
            "acm_status": None,
            "acm_status_reason": None,
            "app": self._app(app),
            "hostname": name,
            "id": domain_id,
            "sni_endpoint": None,
        }

    def key(self, key: UserKey) -> Json:
        at = time(key.created_at)
        return {
            "comment": key.key.comment,
            "created_at": at,
            "email": key.user.email,
            "fingerprint": key.key.fingerprint,
            "id": self.ids.of("key", key.id),
            "public_key": f"{key.key.line} {key.key.comment}".strip(),
            "updated_at": at,
        }

    def one_off(self, app: App, one_off: OneOff, state: TaskState | None, release_id: int) -> Json:
        return {
            "app": self._app(app),
            "attach_url": None,
            "command": one_off.command,
            "created_at": time(one_off.created_at),
            "detail": f"inside {one_off.inside}" if one_off.inside else None,
            "dyno_size": self._named(SIZE_KIND, one_off.size),
            "id": self.ids.of("one-off", one_off.id),
            "name": one_off.name,
            "release": {"id": self.ids.of("release", release_id), "version": one_off.release},
            "restarts": 0,
            "size": one_off.size,
            "state": "up" if state and state.stage is Stage.RUNNING else "starting",
            "type": one_off.type,
            "until": time(one_off.until),
            "updated_at": time(state.since if state else one_off.created_at),
        }

    def attached(self, shown: Json, word: Secret, fingerprint: str) -> Json:
        """`shown`, with where somebody may talk to it, once."""
        url = f"rendezvous://{self._host()}:{self.settings.terminal_port}/{word.reveal()}"
        return {**shown, "attach_fingerprint": fingerprint, "attach_url": url}

    def _host(self) -> str:
        """Of what is no HTTP: as the client reached us, unless the settings know better; an IPv6 address in brackets."""
        host = self.settings.doors_host or urlsplit(self.base).hostname or ""
        return f"[{host}]" if ":" in host else host

    def _stream(self, app: App, kind: str, number: int) -> str:
        return f"{self.base}/streams/logs/{self.tickets.for_log(LogTicket(app.id, kind, number))}"

    def _app(self, app: App) -> Json:
        return {"id": self.ids.of("app", app.id), "name": app.name}

    def _user(self, actor: Actor) -> Json:
        return {"email": actor.email, "id": self.ids.of("account", actor.id)}

    def _stack(self, name: str) -> Json:
        name = name or BUILDPACKS
        return {"id": self.ids.of(STACK_KIND, STACKS.index(name) if name in STACKS else 0), "name": name}

    def _ref(self, kind: str, number: int | None) -> Json | None:
        return None if number is None else {"id": self.ids.of(kind, number)}

    def _named(self, kind: str, name: str) -> Json:
        number = list(SIZES).index(name) if kind == SIZE_KIND and name in SIZES else 0
        return {"id": self.ids.of(kind, number), "name": name}


def _scales(formation: Formation | None) -> Json | None:
    if formation is None:
        return None
    return {name: {"quantity": each.quantity, "size": each.size} for name, each in formation.items()}


def _heroku_status(status: BuildStatus) -> str:
    if status.final:
        return "succeeded" if status is BuildStatus.SUCCEEDED else "failed"
    return "pending"
