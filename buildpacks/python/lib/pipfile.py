"""pipfile.py FOLDER INDEX: prints Pipfile.lock's default packages as requirements with hashes, for uv.

INDEX is the operator's own index, "" for none: it stands in for the lock's first source, which Pipenv always names.
A lock that was made of another Pipfile, or cannot be read, is an error for the pusher instead (exit code 65).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BAD_SOURCE = 65
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_EXTRA = re.compile(r"[A-Za-z0-9._-]+")
_VERSION = re.compile(r"(?:[=<>!~]=?=?\s*[A-Za-z0-9.*+!_-]+\s*,?\s*)+|\*")
_HASH = re.compile(r"[a-z0-9]+:[0-9a-f]+")
_VCS = ("git", "hg", "svn", "bzr")
_MARKERS = ("sys_platform", "os_name", "platform_machine", "platform_system", "python_version", "implementation_name")


class Fault(Exception):
    """What is wrong with the lock."""


def main(folder: Path, index: str) -> int:
    try:
        lock = json.loads((folder / "Pipfile.lock").read_text("utf-8-sig"))
        lines = [*_indexes(lock["_meta"].get("sources", []), index), *_requirements(lock.get("default", {}), folder)]
        fresh = _is_fresh(folder / "Pipfile", lock["_meta"])
    except (Fault, ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        return _refuse("Pipfile.lock cannot be read", f"{type(error).__name__}: {error}")
    if not fresh:
        return _refuse("Pipfile.lock is out of step with the Pipfile", "it was made of another Pipfile")
    print("\n".join(lines))
    return 0


def _is_fresh(pipfile: Path, meta: dict[str, Any]) -> bool:
    """Pipenv's own digest: of the Pipfile's tables as JSON with sorted keys. A Pipfile without sources has the lock's."""
    if not pipfile.is_file():
        return True
    values = tomllib.loads(pipfile.read_text("utf-8-sig"))
    other = set(values) - {"source", "requires", "packages", "dev-packages", "pipenv", "scripts"}
    data = {
        "_meta": {"sources": values.get("source") or meta.get("sources", []), "requires": values.get("requires", {})},
        "default": values.get("packages", {}),
        "develop": values.get("dev-packages", {}),
        **{name: values[name] for name in other},
    }
    content = json.dumps(data, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(content.encode()).hexdigest() == meta.get("hash", {}).get("sha256")


def _indexes(sources: list[dict[str, Any]], operators: str) -> Iterator[str]:
    for number, source in enumerate(sources):
        if re.search(r"\s", source["url"]):
            raise Fault("the URL of a source has a space")
        if number == 0:
            if not operators and source.get("name") != "pypi":
                yield f"--index-url {source['url']}"
        else:
            yield f"--extra-index-url {source['url']}"


def _requirements(packages: dict[str, dict[str, Any]], folder: Path) -> Iterator[str]:
    for name, entry in packages.items():
        extras = entry.get("extras", [])
        if not _NAME.fullmatch(name) or not all(_EXTRA.fullmatch(extra) for extra in extras):
            raise Fault(f"{name!a} is no name of a package")
        what = name + (f"[{','.join(extras)}]" if extras else "")
        line = _place(what, extras, entry, folder) or _version(what, entry)
        if markers := _markers(entry):
            line += f" ; {markers}"
        hashes = entry.get("hashes", [])
        if not all(_HASH.fullmatch(each) for each in hashes):
            raise Fault(f"{name} has a hash that is none")
        yield " ".join([line, *(f"--hash={each}" for each in hashes)])


def _version(what: str, entry: dict[str, Any]) -> str:
    version = entry.get("version", "*")
    if not _VERSION.fullmatch(version):
        raise Fault(f"{what} has a version that is none: {version!a}")
    return what + ("" if version == "*" else version)


def _place(what: str, extras: list[str], entry: dict[str, Any], folder: Path) -> str:
    """The requirement of a package that comes from a repository, an address or a folder of the app; else ""."""
    kind = next((each for each in _VCS if each in entry), "")
    if path := entry.get("path") or ("" if _is_url(entry.get("file", "")) else entry.get("file")):
        aim = f"{folder}/{path}" + (f"[{','.join(extras)}]" if extras else "")
        line = f"-e {aim}" if entry.get("editable") else f"{what} @ file://{folder}/{path}"
    elif kind:
        part = f"#subdirectory={entry['subdirectory']}" if entry.get("subdirectory") else ""
        line = f"{what} @ {kind}+{entry[kind]}@{entry['ref']}{part}"
    elif entry.get("file"):
        line = f"{what} @ {entry['file']}"
    else:
        return ""
    if "\n" in line:
        raise Fault(f"{what} comes from a place that is none")
    return line


def _is_url(text: str) -> bool:
    return "://" in text


def _markers(entry: dict[str, Any]) -> str:
    marks = [entry["markers"]] if entry.get("markers") else []
    marks += [f"{name} {entry[name]}" for name in _MARKERS if entry.get(name)]
    if any(re.search(r"[\n#;]", mark) for mark in marks):
        raise Fault("a marker is none")
    return " and ".join(f"({mark})" if len(marks) > 1 else mark for mark in marks)


def _refuse(cause: str, fact: str) -> int:
    print(f" !     {cause}\n !     {fact}\n !     \n !     Try: pipenv lock && git add Pipfile.lock")
    return BAD_SOURCE


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
