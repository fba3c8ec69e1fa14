"""The history of an app as a document: what `wherry eject` writes beside the plain files, and `wherry adopt` reads.

    {"wherry": 1, "app": "hello", "registry": "registry.example.com/team", "domains": ["www.example.org"],
     "formation": {"web": {"quantity": 2, "size": "basic", "autoscaling": {…}}},
     "releases": [{"number": 1, "description": "Deploy 1a2b3c4d", "status": "succeeded", "created_at": "2026-…Z", "by": "ada@…",
                   "commit": "…", "config": {…}, "image": {"repository": "apps/7", "digest": "sha256:…", "processes": {…},
                   "starts": {…}, "app_json": {…}}}]}

It holds the config in clear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wherry.domain import app_json, autoscale, config
from wherry.domain.autoscale import MOST_PROCESSES
from wherry.domain.config import Config
from wherry.domain.errors import InvalidInput
from wherry.domain.formation import SIZES, Formation, Scale
from wherry.domain.image import Image, Start
from wherry.domain.model import Release, ReleaseStatus
from wherry.domain.procfile import LONGEST_COMMAND, TYPE
from wherry.domain.reading import Reading

MOST = 100
VERSION = 1
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REPOSITORY = re.compile(r"apps/[1-9][0-9]{0,18}")
_COMMIT = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})?")
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:/_-]{0,254}")


@dataclass(frozen=True, slots=True)
class Past:
    """One release as it was."""

    number: int
    description: str
    status: ReleaseStatus
    created_at: datetime
    by: str
    commit: str
    image: Image
    config: Config


@dataclass(frozen=True, slots=True)
class History:
    """`registry`: as references of its images begin. `releases`: by number, the newest last; one at least."""

    app: str
    registry: str
    domains: tuple[str, ...]
    formation: Formation
    releases: tuple[Past, ...]


def write(app: str, registry: str, domains: Sequence[str], formation: Formation, releases: Sequence[Release]) -> object:
    """`releases` with their config, the newest first."""
    return {
        "wherry": VERSION,
        "app": app,
        "registry": registry,
        "domains": list(domains),
        "formation": {name: _scale(each) for name, each in formation.items()},
        "releases": [_written(each) for each in reversed(releases)],
    }


def _scale(scale: Scale) -> dict[str, object]:
    load = {"autoscaling": autoscale.write(scale.autoscale)} if scale.autoscale else {}
    return {"quantity": scale.quantity, "size": scale.size, **load}


def _written(release: Release) -> dict[str, object]:
    image = release.image
    return {
        "number": release.number,
        "description": release.description,
        "status": str(release.status),
        "created_at": release.created_at.isoformat(),
        "by": release.actor.email,
        "commit": release.commit,
        "config": {name: value.reveal() for name, value in sorted(release.config.items())},
        "image": {
            "repository": image.repository,
            "digest": image.digest,
            "processes": dict(image.processes),
            "starts": {name: each.written() for name, each in image.starts.items()},
            "app_json": app_json.write(image.wishes),
        },
    }


def read(value: object) -> History:
    """Raises InvalidInput with every fault and where it stands."""
    reading = Reading("history")
    root = reading.mapping(value, "")
    if root.get("wherry") != VERSION:
        raise InvalidInput("this is no history of an app", hint="wherry eject writes one: history.json")
    registry = reading.text(root.get("registry"), "registry") or ""
    if not _ADDRESS.fullmatch(registry):
        reading.fault("registry", "must be HOST[:PORT][/PREFIX]")
    found = History(
        reading.text(root.get("app"), "app", 100) or "",
        registry,
        tuple(reading.text(each, "domains", 253) or "" for each in reading.items(root.get("domains"), "domains")),
        _formation(reading, root.get("formation")),
        tuple(
            _past(reading, each, f"releases[{place}]")
            for place, each in enumerate(reading.items(root.get("releases"), "releases", MOST))
        ),
    )
    numbers = [each.number for each in found.releases]
    if not numbers or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        reading.fault("releases", "must be one at least, by number, none left out")
    reading.check("the history was not taken in")
    return found


def _formation(reading: Reading, value: object) -> dict[str, Scale]:
    found = {}
    for name, each in reading.mapping(value, "formation").items():
        where = f"formation.{name}"
        scale = reading.mapping(each, where)
        quantity = reading.whole(scale.get("quantity"), f"{where}.quantity", 0, MOST_PROCESSES)
        size = reading.text(scale.get("size"), f"{where}.size", 40) or ""
        if not TYPE.fullmatch(str(name)) or size not in SIZES or quantity is None:
            reading.fault(where, "must be a process type with a quantity and a size")
            continue
        found[str(name)] = Scale(
            quantity, size, autoscale.read(reading, scale.get("autoscaling"), f"{where}.autoscaling")
        )
    return found


def _past(reading: Reading, value: object, where: str) -> Past:
    root = reading.mapping(value, where)
    status = reading.text(root.get("status"), f"{where}.status", 20)
    if status not in list(ReleaseStatus):
        reading.fault(f"{where}.status", f"must be one of {', '.join(ReleaseStatus)}")
        status = ReleaseStatus.FAILED
    commit = reading.text(root.get("commit"), f"{where}.commit", 64) or ""
    if not _COMMIT.fullmatch(commit):
        reading.fault(f"{where}.commit", "must be a whole commit id")
    return Past(
        reading.whole(root.get("number"), f"{where}.number", 1, 10**9) or 0,
        reading.text(root.get("description"), f"{where}.description", 1000) or "",
        ReleaseStatus(status),
        _moment(reading, root.get("created_at"), f"{where}.created_at"),
        reading.text(root.get("by"), f"{where}.by", 254) or "",
        commit,
        _image(reading, root.get("image"), f"{where}.image"),
        _config(reading, root.get("config"), f"{where}.config"),
    )


def _moment(reading: Reading, value: object, where: str) -> datetime:
    try:
        found = datetime.fromisoformat(reading.text(value, where, 40) or "")
    except ValueError:
        found = datetime.fromtimestamp(0)
    if found.tzinfo is None:
        reading.fault(where, "must be a time with its zone, as 2026-03-01T12:00:00+00:00")
        return datetime.fromtimestamp(0, UTC)
    return found


def _config(reading: Reading, value: object, where: str) -> Config:
    given = reading.mapping(value, where, config.MOST_KEYS)
    try:
        return config.changed({}, {name: each if isinstance(each, str) else "" for name, each in given.items()})
    except InvalidInput as error:
        for problem in error.evidence:
            reading.fault(where, problem)
        return {}


def _image(reading: Reading, value: object, where: str) -> Image:
    root = reading.mapping(value, where)
    repository = reading.text(root.get("repository"), f"{where}.repository") or ""
    if not _REPOSITORY.fullmatch(repository):
        reading.fault(f"{where}.repository", "must be apps/N")
    processes = {
        str(name): reading.text(each, f"{where}.processes.{name}", LONGEST_COMMAND) or ""
        for name, each in reading.mapping(root.get("processes"), f"{where}.processes").items()
    }
    if wrong := [name for name in processes if not TYPE.fullmatch(name)]:
        reading.fault(f"{where}.processes", f"has what is no process type: {len(wrong)}")
    return Image(
        repository,
        _digest(reading, root.get("digest"), f"{where}.digest"),
        processes,
        _starts(reading, root.get("starts"), f"{where}.starts"),
        _wishes(reading, root.get("app_json"), where),
    )


def _starts(reading: Reading, value: object, where: str) -> Mapping[str, Start]:
    found = {}
    for name, each in reading.mapping(value, where).items():
        start = reading.mapping(each, f"{where}.{name}")
        words = reading.items(start.get("argv"), f"{where}.{name}.argv")
        argv = tuple(reading.text(word, f"{where}.{name}.argv") or "" for word in words)
        user = reading.text(start.get("user"), f"{where}.{name}.user", 100) or ""
        digest = start.get("digest")
        found[str(name)] = Start(argv, user, _digest(reading, digest, f"{where}.{name}.digest") if digest else "")
    return found


def _wishes(reading: Reading, value: object, where: str) -> app_json.AppJson:
    try:
        return app_json.read(value)
    except InvalidInput as error:
        for problem in error.evidence:
            reading.fault(where, problem)
        return app_json.NOTHING


def _digest(reading: Reading, value: object, where: str) -> str:
    found = reading.text(value, where, 100) or ""
    if not _DIGEST.fullmatch(found):
        reading.fault(where, "must be sha256:HEX")
    return found
