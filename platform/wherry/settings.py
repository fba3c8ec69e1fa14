"""Every setting once: its environment variable, its default, one line of doc."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from wherry.domain.buildpacks import source_prefix
from wherry.domain.errors import InvalidInput
from wherry.domain.public import networks
from wherry.domain.secret import Secret
from wherry.logins import HELPER


def _setting(default: str, doc: str) -> str:
    value: str = field(default=default, metadata={"doc": doc})
    return value


@dataclass(frozen=True)
class Settings:
    """Read from WHERRY_<NAME>; texts as given, so that a wrong one is refused by `load` with its name."""

    home: str = _setting("", "folder of all state; default /var/lib/wherry for root, else ~/.local/share/wherry")
    bind: str = _setting("127.0.0.1", "address that the portal, API and git listen on")
    router_bind: str = _setting("127.0.0.1", "address that the router listens on for the apps' traffic")
    web_port: str = _setting("8301", "port of the portal, API and git")
    router_port: str = _setting("8300", "port of the apps: http://NAME.localhost:PORT")
    terminal_port: str = _setting("8303", "port where wherry run attaches, with TLS; on the address of bind")
    ssh_port: str = _setting("8304", "port of git over SSH, where this machine has sshd; 0: none")
    doors_host: str = _setting(
        "", "host where people reach the terminal and git over SSH; default the one that they reached the API by"
    )
    public_url: str = _setting(
        "", "where people reach the portal and the API: http(s)://HOST[:PORT]; default http://localhost:<web_port>"
    )
    registry_port: str = _setting("8302", "port of our own registry, on the address of registry_bind")
    registry_bind: str = _setting("127.0.0.1", "address that our own registry listens on")
    apps_domain: str = _setting("localhost", "apps answer at NAME.<apps_domain>")
    name_servers: str = _setting(
        "", "who is asked whether a custom domain is its claimer's: IP[:PORT], blanks between; default the machine's"
    )
    database_url: str = _setting("", "SQLAlchemy URL; default SQLite in the home folder")
    registry_url: str = _setting("", "another registry: http(s)://HOST[:PORT][/PREFIX]; default our own")
    registry_username: str = _setting("", "login for registry_url")
    registry_password: str = _setting("", "login for registry_url")
    registry_pull_url: str = _setting("", "registry_url as the cluster's nodes name it; default the same")
    runtime: str = _setting("machine", "where apps run: machine (this Docker Engine), swarm or cluster (Kubernetes)")
    kubeconfig: str = _setting("", "file that leads to the cluster; default the pod's own service account")
    gateway: str = _setting("", "Gateway of the cluster for the apps: NAMESPACE/NAME; default the only one there is")
    ingress_class: str = _setting("", "class of the apps' Ingresses, without a Gateway; default the cluster's default")
    apps_scheme: str = _setting("http", "scheme of the apps' URLs as people open them: http or https")
    apps_port: str = _setting("", "port of the apps' URLs as people open them; default router_port")
    registry_helper: str = _setting(
        "", "whose login instead: NAME of the program docker-credential-NAME, for logins that last some hours"
    )
    engine: str = _setting("", "Docker Engine; default DOCKER_HOST, else unix:///var/run/docker.sock")
    subnet: str = _setting("", "IPv4 /16 for containers; default the first free of 10.213.0.0/16 to 10.231.0.0/16")
    stack_build: str = _setting("", "build image by digest, from any registry; default made from Debian packages")
    stack_run: str = _setting("", "run image by digest, from any registry; default made from Debian packages")
    buildpack_sources: str = _setting(
        "", "where buildpacks may be fetched from: URL prefixes https://, http://, docker://, with blanks between"
    )
    image_sources: str = _setting(
        "", "where images may be released from: prefixes docker://HOST[/PATH], with blanks between"
    )
    builders: str = _setting("", "builder images that apps may name, each by digest, with blanks between")
    api_per_hour: str = _setting("36000", "requests that an account may send to the API in an hour")
    max_push_mb: str = _setting("512", "largest push, MiB of pack")
    max_image_mb: str = _setting("8192", "largest image that is pushed or released from elsewhere, MiB of its layers")
    max_tree_mb: str = _setting("2048", "largest source tree, MiB")
    max_tree_files: str = _setting("100000", "most files in a source tree")
    build_seconds: str = _setting("900", "longest build")
    build_free_mb: str = _setting("1024", "builds begin only while the disk has so much free, MiB")
    build_memory_mb: str = _setting("2048", "memory of a build, MiB")
    build_disk_mb: str = _setting("10240", "disk of a build on the cluster, MiB")
    app_networks: str = _setting(
        "", "networks beside the public ones that apps on the cluster may reach, with blanks between"
    )
    storage_class: str = _setting("", "class of the apps' volumes on the cluster; default the cluster's default")
    build_networks: str = _setting(
        "", "networks beside the public ones that builds on the cluster may reach, as 10.0.0.0/8, with blanks between"
    )
    builds: str = _setting(
        "", "where builds run: machine or cluster; default cluster where apps run there and platform_image is set"
    )
    platform_image: str = _setting("", "the platform's own image by digest, as the cluster's nodes pull it")
    builds_at_once: str = _setting("1", "builds that run at the same time")
    keep_releases: str = _setting("30", "how many releases of an app can be gone back to; older images are removed")
    boot_seconds: str = _setting("60", "time a new web process has until it must listen on $PORT")
    release_seconds: str = _setting("3600", "longest release phase")
    cron_seconds: str = _setting("86400", "longest run of a cron task")
    cron_at_once: str = _setting("10", "cron tasks, of all apps, that run at the same time; others wait")
    drain_seconds: str = _setting("30", "time requests in flight have to end after a switch")
    stop_seconds: str = _setting("30", "time from SIGTERM to SIGKILL")
    watch_seconds: str = _setting(
        "300", "a new release that keeps crashing within this time goes back by itself; 0: never"
    )
    run_seconds: str = _setting("86400", "longest one-off (wherry run)")
    runs_at_once: str = _setting("10", "one-offs of an app at the same time")
    drain_networks: str = _setting(
        "", "networks beside the public ones that drains and webhooks may lead to, as 10.0.0.0/8, with blanks between"
    )
    app_log_mb: str = _setting("20", "what each app's log may take on disk, MiB; the oldest lines go")
    lease_seconds: str = _setting("15", "a job whose worker is silent for so long is taken over")

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Raises InvalidInput with every setting that is wrong."""
        environ = os.environ if environ is None else environ
        given = {
            each.name: environ["WHERRY_" + each.name.upper()]
            for each in fields(cls)
            if "WHERRY_" + each.name.upper() in environ
        }
        given.setdefault("home", _default_home())
        given["home"] = str(Path(given["home"] or _default_home()).absolute())
        if not given.get("engine"):
            given["engine"] = environ.get("DOCKER_HOST", "") or "unix:///var/run/docker.sock"
        settings = cls(**given)
        if problems := settings._problems():
            raise InvalidInput("the settings are not right", problems=problems)
        return settings

    def number(self, name: str) -> int:
        return int(getattr(self, name))

    @property
    def folder(self) -> Path:
        return Path(self.home)

    @property
    def web_url(self) -> str:
        return self.public_url.rstrip("/") or f"http://localhost:{self.web_port}"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home}/ledger.db"

    @property
    def sources_of_buildpacks(self) -> tuple[str, ...]:
        return tuple(self.buildpack_sources.split())

    @property
    def sources_of_images(self) -> tuple[str, ...]:
        return tuple(self.image_sources.split())

    @property
    def registry_secret(self) -> Secret:
        return Secret(self.registry_password)

    @property
    def on_cluster(self) -> bool:
        return self.runtime == "cluster"

    @property
    def builds_on_cluster(self) -> bool:
        return self.builds == "cluster" or (not self.builds and self.on_cluster and bool(self.platform_image))

    def app_url(self, name: str) -> str:
        port = self.apps_port or self.router_port
        usual = _USUAL_PORTS.get(self.apps_scheme) == port
        return f"{self.apps_scheme}://{name}.{self.apps_domain}" + ("" if usual else f":{port}")

    def environ(self) -> dict[str, str]:
        """These settings as the environment of a child process."""
        return {
            "WHERRY_" + each.name.upper(): getattr(self, each.name)
            for each in fields(self)
            if getattr(self, each.name) != ""
        }

    def table(self) -> list[dict[str, str]]:
        """Every setting for people: its variable, its value (a password hidden), what it is for."""
        return [
            {
                "variable": "WHERRY_" + each.name.upper(),
                "value": "[REDACTED]"
                if each.name.endswith("password") and getattr(self, each.name)
                else getattr(self, each.name),
                "doc": each.metadata["doc"],
            }
            for each in fields(self)
        ]

    def _problems(self) -> list[str]:
        faults = []
        for name in ("buildpack_sources", "image_sources"):
            for each in getattr(self, name).split():
                try:
                    source_prefix(each)
                except InvalidInput as error:
                    faults.append(f"WHERRY_{name.upper()}: {error.message}")
        if self.public_url and not _PUBLIC.fullmatch(self.public_url):
            faults.append(f"WHERRY_PUBLIC_URL: '{self.public_url}' is not http(s)://HOST[:PORT]")
        if self.doors_host and not _HOST.fullmatch(self.doors_host):
            faults.append(f"WHERRY_DOORS_HOST: '{self.doors_host}' is not a host name or an address")
        for each in self.name_servers.split():
            if not _ADDRESS.fullmatch(each):
                faults.append(f"WHERRY_NAME_SERVERS: '{each}' is not IP[:PORT]")
        for name in ("drain_networks", "build_networks", "app_networks"):
            try:
                networks(getattr(self, name))
            except ValueError as error:
                faults.append(f"WHERRY_{name.upper()}: {error}")
        if self.registry_helper and not HELPER.fullmatch(self.registry_helper):
            faults.append(f"WHERRY_REGISTRY_HELPER: '{self.registry_helper}' is not NAME of docker-credential-NAME")
        for each in self.builders.split():
            if not _BY_DIGEST.fullmatch(each):
                faults.append(f"WHERRY_BUILDERS: '{each}' is not an image by digest: HOST/NAME@sha256:…")
        faults += self._cluster_problems()
        optional = {"apps_port"} if not self.apps_port else set()
        numeric = [each.name for each in fields(self) if each.name.split("_")[-1] in _NUMBERS]
        return faults + [
            f"WHERRY_{name.upper()}: '{getattr(self, name)}' is not a whole number above 0"
            for name in numeric
            if name not in optional
            and not (
                getattr(self, name).isascii()
                and getattr(self, name).isdecimal()
                and (name in ("watch_seconds", "ssh_port") or int(getattr(self, name)) > 0)
                and int(getattr(self, name)) < 10**9
            )
        ]

    def _cluster_problems(self) -> list[str]:
        faults = []
        for name, words in _CHOICES.items():
            if getattr(self, name) not in words:
                faults.append(
                    f"WHERRY_{name.upper()}: '{getattr(self, name)}' is none of: {', '.join(filter(None, words))}"
                )
        if self.gateway and not _GATEWAY.fullmatch(self.gateway):
            faults.append(f"WHERRY_GATEWAY: '{self.gateway}' is not NAMESPACE/NAME")
        if self.ingress_class and not _KUBE_NAME.fullmatch(self.ingress_class):
            faults.append(f"WHERRY_INGRESS_CLASS: '{self.ingress_class}' is not the name of an ingress class")
        if self.registry_pull_url and not self.registry_pull_url.startswith(("http://", "https://")):
            faults.append(f"WHERRY_REGISTRY_PULL_URL: '{self.registry_pull_url}' is not http(s)://HOST[:PORT][/PREFIX]")
        if self.on_cluster and not self.registry_url:
            faults.append("WHERRY_REGISTRY_URL: the cluster's nodes need a registry that they reach; our own is local")
        if self.kubeconfig and self.on_cluster and not Path(self.kubeconfig).is_file():
            faults.append(f"WHERRY_KUBECONFIG: there is no file '{self.kubeconfig}'")
        if self.platform_image and not _BY_DIGEST.fullmatch(self.platform_image):
            faults.append(
                f"WHERRY_PLATFORM_IMAGE: '{self.platform_image}' is not an image by digest: HOST/NAME@sha256:…"
            )
        if self.builds == "cluster" and not (self.platform_image and self.registry_url):
            faults.append("WHERRY_BUILDS: builds on the cluster need WHERRY_PLATFORM_IMAGE and WHERRY_REGISTRY_URL")
        return faults


def root_folder() -> Path:
    """Where app.py, buildpacks/ and migrations/ lie: the checkout's root, or their copies inside the wheel."""
    here = Path(__file__).resolve().parent
    checkout = here.parents[1]
    return checkout if (checkout / "buildpacks").is_dir() and (checkout / "app.py").is_file() else here / "_files"


_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]{1,5})?|\[[0-9a-fA-F:]{2,39}\](?::[0-9]{1,5})?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9a-fA-F:]{2,39}")
_PUBLIC = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,260}/?")
_BY_DIGEST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}")
_KUBE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_GATEWAY = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?/{_KUBE_NAME.pattern}")
_CHOICES = {
    "runtime": ("machine", "swarm", "cluster"),
    "builds": ("", "machine", "cluster"),
    "apps_scheme": ("http", "https"),
}
_USUAL_PORTS = {"http": "80", "https": "443"}
_NUMBERS = {"hour", "port", "mb", "files", "seconds", "once", "releases"}


def _default_home() -> str:
    return "/var/lib/wherry" if os.geteuid() == 0 else str(Path.home() / ".local/share/wherry")
