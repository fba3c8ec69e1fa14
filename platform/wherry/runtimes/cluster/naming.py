"""Names and labels of what we make in a cluster. Pure; all state is rebuilt from these."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

from wherry.domain import health
from wherry.domain.restarts import Turn
from wherry.domain.workload import Workload

PLATFORM = "wherry.dev/platform"
APP = "wherry.dev/app"
RELEASE = "wherry.dev/release"
PROCESS = "wherry.dev/process"
# Annotations.
FINGERPRINT = "wherry.dev/fingerprint"
TURN = "wherry.dev/turn"
TURNS_DONE = "wherry.dev/turns-done"
INSISTED = "wherry.dev/insisted"
COMMAND = "wherry.dev/command"
CONTENT = "wherry.dev/content"
"""Of a Secret that changes under its name: a digest of what is in it."""
TEMPLATE = "wherry.dev/template"
"""A digest of the whole template as we wrote it: of the Deployment, and of each of its pods."""

ACCOUNT = "app"
PULL_SECRET = "registry"  # noqa: S105 - a name
CONTAINER = "app"
PORT = 8080
_DIGITS = 12


def namespace(platform: str, app_id: int) -> str:
    """By the app's id, as its name may change while it runs."""
    return f"wherry-{platform}-{app_id}"


def app_labels(platform: str, app_id: int, app_name: str) -> dict[str, str]:
    """Of everything that belongs to an app."""
    return {
        "app.kubernetes.io/name": app_name,
        "app.kubernetes.io/instance": namespace(platform, app_id),
        "app.kubernetes.io/part-of": "wherry",
        "app.kubernetes.io/managed-by": "wherry",
        PLATFORM: platform,
        APP: str(app_id),
    }


def process_labels(platform: str, workload: Workload) -> dict[str, str]:
    """Of what belongs to a process type, whatever its release."""
    return {
        **app_labels(platform, workload.app_id, workload.app_name),
        "app.kubernetes.io/component": workload.type,
        PROCESS: workload.type,
    }


def release_labels(release: int) -> dict[str, str]:
    """Of what belongs to one release, beside those of the app or process."""
    return {"app.kubernetes.io/version": f"v{release}", RELEASE: str(release)}


def pod_labels(platform: str, workload: Workload) -> dict[str, str]:
    """Without the app's name: a new name must not replace its pods."""
    labels = {**process_labels(platform, workload), **release_labels(workload.release)}
    return {key: value for key, value in labels.items() if key != "app.kubernetes.io/name"}


def selector(platform: str, workload: Workload) -> dict[str, str]:
    """What never changes in the life of a process type."""
    return {PLATFORM: platform, APP: str(workload.app_id), PROCESS: workload.type}


def of_platform(platform: str, app_id: int | None = None) -> str:
    """The label selector of all that is ours, of one app or of all."""
    return f"{PLATFORM}={platform}" + ("" if app_id is None else f",{APP}={app_id}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose an object is, by its labels; `release` 0 and `type` "" where it belongs to no one of them."""

    app_id: int
    release: int
    type: str

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> Identity | None:
        """None for an object that is not an app's."""
        try:
            return cls(int(labels[APP]), int(labels.get(RELEASE, 0)), labels.get(PROCESS, ""))
        except (KeyError, ValueError):
            return None


def config_secret(platform: str, workload: Workload, data: Mapping[str, str]) -> str:
    """Of the Secret with the environment of a release: by its content, so that one name never means two things.

    An HMAC, so that equal configs of two apps do not show as equal to those who may read names only.
    """
    said = json.dumps([workload.app_id, workload.release, dict(data)], sort_keys=True)
    return f"config-v{workload.release}-{digest(platform, said)[:_DIGITS]}"


def fingerprint(platform: str, workload: Workload) -> str:
    """What "runs as asked" means: the same image, config and size. Wishes to restart stand beside it (see `turn`)."""
    env = {name: value.reveal() for name, value in workload.env.items()}
    size = [workload.size.memory, workload.size.cpu, workload.size.pids]
    start = [list(workload.start.argv), workload.start.user] if workload.start else []
    rest = [[health.write(each) for each in workload.checks], [[each.name, each.path] for each in workload.volumes]]
    asked = [workload.image.repository, workload.image.digest, size, env, start, *rest]
    return digest(platform, json.dumps(asked, sort_keys=True))


def turn(workload: Workload, index: int) -> Turn:
    return workload.turns.get(index, Turn())


def digest(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
