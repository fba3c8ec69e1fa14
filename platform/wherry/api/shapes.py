"""Our nouns in the JSON shapes of Heroku's Platform API v3. Pure: no reading, no deciding.

Fields of theirs that have no meaning here yet are there with their empty value, since typed clients expect the key.
`shapes_processes`, `shapes_people` and `shapes_webhooks` have the nouns that are not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from wherry.api.ids import Ids
from wherry.api.tickets import LogTicket, Tickets
from wherry.domain.build_settings import BUILDPACKS, STACKS
from wherry.domain.difference import Change, stack_of
from wherry.domain.domains import CustomDomain
from wherry.domain.formation import SIZES, Formation
from wherry.domain.model import Actor, App, Build, BuildStatus, Release
from wherry.domain.retention import Standing
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
            "create_status": "complete",
            "created_at": time(app.created_at),
            "deploy_branch": app.deploy_branch,
            "git_url": f"{self.base}/{app.name}.git",
            "id": self.ids.of("app", app.id),
            "internal_routing": False,
            "maintenance": app.maintenance,
            "name": app.name,
            "organization": None,
            "owner": self.user_reference(app.owner),
            "region": self.named(REGION_KIND, REGION),
            "released_at": time(current.finished_at or current.created_at) if current else None,
            "repo_size": None,
            "slug_size": None,
            "space": None,
            "ssh_git_url": self.ssh.url(self.host(), app.name) if self.ssh else None,
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
            **self.named(REGION_KIND, REGION),
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
        build = self.reference("build", release.build_id)
        settings = release.settings
        return {
            "addon_plan_names": [],
            "app": self.app_reference(app),
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
            "output_stream_url": self.log_stream(app, "release", release.id),
            "processes": dict(release.image.processes),
            "slug": build or self.reference("slug", release.id),
            "stack": stack_of(release.image),
            "status": str(release.status),
            "updated_at": time(release.finished_at or release.created_at),
            "user": self.user_reference(release.actor),
            "version": release.number,
        }

    def release_reference(self, release: Release) -> Json:
        return {"id": self.ids.of("release", release.id), "version": release.number}

    def slug(self, ident: str, release: Release) -> Json:
        """Heroku's word for what was built, by the first release of it. There is an image and no archive to fetch."""
        return {
            "blob": None,
            "buildpack_provided_description": None,
            "checksum": release.image.digest,
            "commit": release.commit or None,
            "commit_description": None,
            "created_at": time(release.created_at),
            "id": ident,
            "process_types": dict(release.image.processes),
            "size": None,
            "stack": self._stack(stack_of(release.image)),
            "updated_at": time(release.created_at),
        }

    def change(self, change: Change) -> Json:
        return {"after": change.after, "area": change.area, "before": change.before, "name": change.name or None}

    def build(self, app: App, build: Build, release: Release | None) -> Json:
        """Heroku knows pending, succeeded and failed; what runs is pending to its clients, our own word stands beside."""
        return {
            "app": self.app_reference(app),
            "buildpacks": [],
            "branch": build.branch,
            "created_at": time(build.created_at),
            "failure": build.failure or None,
            "id": self.ids.of("build", build.id),
            "message": build.message or None,
            "number": build.id,
            "output_stream_url": self.log_stream(app, "build", build.id),
            "phase": str(build.status),
            "release": self.release_reference(release) if release else None,
            "slug": {"id": self.ids.of("build", build.id)} if build.image else None,
            "source_blob": {"checksum": None, "url": None, "version": build.source.commit, "version_description": None},
            "stack": stack_of(build.image) if build.image else BUILDPACKS,
            "status": _heroku_status(build.status),
            "updated_at": time(build.finished_at or build.created_at),
            "user": self.user_reference(build.actor),
        }

    def _domain(self, app: App, name: str, domain_id: str) -> Json:
        return {
            "acm_status": None,
            "acm_status_reason": None,
            "app": self.app_reference(app),
            "hostname": name,
            "id": domain_id,
            "sni_endpoint": None,
        }

    def host(self) -> str:
        """Of what is no HTTP: as the client reached us, unless the settings know better; an IPv6 address in brackets."""
        host = self.settings.doors_host or urlsplit(self.base).hostname or ""
        return f"[{host}]" if ":" in host else host

    def log_stream(self, app: App, kind: str, number: int) -> str:
        return f"{self.base}/streams/logs/{self.tickets.for_log(LogTicket(app.id, kind, number))}"

    def app_reference(self, app: App) -> Json:
        return {"id": self.ids.of("app", app.id), "name": app.name}

    def user_reference(self, actor: Actor) -> Json:
        return {"email": actor.email, "id": self.ids.of("account", actor.id)}

    def _stack(self, name: str) -> Json:
        name = name or BUILDPACKS
        return {"id": self.ids.of(STACK_KIND, STACKS.index(name) if name in STACKS else 0), "name": name}

    def reference(self, kind: str, number: int | None) -> Json | None:
        return None if number is None else {"id": self.ids.of(kind, number)}

    def named(self, kind: str, name: str) -> Json:
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
