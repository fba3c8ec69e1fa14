"""project.toml: what an app's source says about its build (project descriptor 0.2; 0.1 is read too). Pure.

Every fault is found before any is told, each with its path. Keys that we do not know are told and passed over; tables
of other makers (``[io.wherry.static]``, ``[com.example]``) are theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from wherry.builds import patterns, toml_files
from wherry.builds.descriptor import ID, VERSION
from wherry.builds.origin import FROM_PROJECT
from wherry.builds.project_reading import Faults, Node
from wherry.domain.buildpacks import Kind, Reference, reference
from wherry.domain.config import KEY, LONGEST_VALUE, MOST_KEYS, RESERVED
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput
from wherry.domain.text import printable

NAME = "project.toml"
MOST_BYTES = 256 * 1024
MOST_BUILDPACKS = 100
_LONGEST_SAYING = 500
VERSIONS = ("0.1", "0.2")
INLINE_API, INLINE_VERSION = "0.10", "0.0.0"
SHELL = "/bin/sh"

_OPERATORS = ("run-image", "run-images", "lifecycle-image", "volume", "volumes", "network", "stack", "privileged")
"""What others' tools let a command line choose; here the operator does (T17, B17)."""
_BUILDPACKS = ("include", "exclude", "group", "pre", "post", "build", "env", "builder")
_BUILD_01 = ("include", "exclude", "buildpacks", "env", "builder")


@dataclass(frozen=True, slots=True)
class Script:
    """A buildpack in a few lines: its bin/build is `inline`, run by `shell`."""

    id: str
    inline: str
    shell: str = SHELL
    api: str = INLINE_API


@dataclass(frozen=True, slots=True)
class Project:
    """`include` and `exclude` are gitignore patterns, None when absent. `builder` is only read here. `said`:
    what its author says of it (origin.py).
    """

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    group: tuple[Reference | Script, ...] = ()
    before: tuple[Reference | Script, ...] = ()
    after: tuple[Reference | Script, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    builder: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def read_project(content: bytes | None, builders: Collection[str] = ()) -> Project:
    """`builders`: those that an app may name. Raises BuildFailed (BAD_SOURCE) with every fault."""
    if content is None:
        return Project()
    try:
        values = toml_files.parse(content.removeprefix(b"\xef\xbb\xbf"), NAME).values
    except InvalidInput as error:
        raise BuildFailed(BuildFailure.BAD_SOURCE, error.message) from error
    faults = Faults()
    project = _project(Node(values, "", faults), builders)
    if faults.problems:
        shown = f"{NAME} is not right"
        raise BuildFailed(BuildFailure.BAD_SOURCE, shown, evidence=faults.problems, hint="Its keys: docs/buildpacks.md")
    return project


def _project(root: Node, builders: Collection[str]) -> Project:
    version = root.table("_").text("schema-version", "0.2")
    if version not in VERSIONS:
        root.table("_").wrong("schema-version", f"'{printable(version, 20)}' is not known here: have 0.1, 0.2")
    current, older = root.table("io").table("buildpacks"), root.table("build")
    base = current if current.values or not older.values else older
    base.only(_BUILDPACKS if base is current else _BUILD_01, _OPERATORS)
    build = base.table("build")
    build.only(("env",), _OPERATORS)
    include, exclude = _patterns(base, "include"), _patterns(base, "exclude")
    if include is not None and exclude is not None:
        base.wrong("include", "stands beside exclude: only one of them may be there")
    builder = base.text("builder")
    if builder and builder not in builders:
        base.wrong(
            "builder", f"'{printable(builder, 100)}' is not permitted: the platform's operator chooses the builder"
        )
    return Project(
        include,
        exclude,
        _members(base, "group" if base is current else "buildpacks"),
        _members(base.table("pre"), "group"),
        _members(base.table("post"), "group"),
        _env(older, "env") | (_env(base.table("env"), "build") | _env(build, "env") if base is current else {}),
        builder,
        _said(root.table("_") if root.table("_").values else root.table("project")),
        tuple(root.faults.notices),
    )


def _said(about: Node) -> dict[str, str]:
    """What the author says of the app, by the names that images have for it."""
    found = {}
    for key, name in FROM_PROJECT.items():
        text = about.text(key)
        if len(text) > _LONGEST_SAYING or not text.isprintable():
            about.wrong(key, f"is no line of at most {_LONGEST_SAYING} characters")
        elif text:
            found[name] = text
    return found


def _patterns(base: Node, key: str) -> tuple[str, ...] | None:
    found = base.texts(key)
    for place, fault in patterns.faults(found or ()).items():
        base.wrong(key if place is None else f"{key}[{place}]", fault)
    return found


def _env(base: Node, key: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in base.tables(key):
        each.only(("name", "value"))
        name, value = each.text("name"), each.text("value")
        if not KEY.fullmatch(name):
            each.wrong("name", f"'{printable(name, 60)}' is not the name of a variable")
        elif RESERVED.fullmatch(name):
            each.wrong("name", f"{name} is set by the platform")
        elif len(value.encode("utf-8", "surrogatepass")) > LONGEST_VALUE:
            each.wrong("value", "is longer than 32 KiB")
        found[name] = value
    if len(found) > MOST_KEYS:
        base.wrong(key, f"has {len(found)} variables; the most is {MOST_KEYS}")
    return found


def _members(base: Node, key: str) -> tuple[Reference | Script, ...]:
    tables = base.tables(key)
    if len(tables) > MOST_BUILDPACKS:
        base.wrong(key, f"has {len(tables)} buildpacks; the most is {MOST_BUILDPACKS}")
    found = [one for place, each in enumerate(tables) if (one := _member(each, place))]
    return tuple(found)


def _member(table: Node, place: int) -> Reference | Script | None:
    table.only(("id", "version", "uri", "script", "api"))
    name, version, uri = table.text("id"), table.text("version"), table.text("uri")
    if name and not ID.fullmatch(name):
        table.wrong("id", f"'{printable(name, 60)}' is not an id of a buildpack")
    if version and not VERSION.fullmatch(version):
        table.wrong("version", f"'{printable(version, 60)}' is not a version")
    if "script" in table.values:
        if uri or version:
            table.wrong("script", "stands beside uri or version: a script is the whole buildpack")
        return _script(table, name or f"inline/script-{place + 1}")
    if uri:
        return _by_uri(table, uri)
    if not name:
        table.wrong("id", "is missing: a buildpack has an id, a uri or a script")
        return None
    return Reference(Kind.ID, name, version)


def _script(table: Node, name: str) -> Script:
    script = table.table("script")
    script.only(("inline", "shell", "api"))
    inline, shell = script.text("inline"), script.text("shell", SHELL)
    api = script.text("api") or table.text("api") or INLINE_API
    if not inline.strip():
        script.wrong("inline", "is missing: the lines to run")
    if not _is_shell(shell):
        script.wrong("shell", f"'{printable(shell, 60)}' is not the path of a program")
    return Script(name, inline, shell, api)


def _is_shell(text: str) -> bool:
    """What a first line ``#!`` can name: an absolute path, and at most one option after it."""
    program, _, option = text.partition(" ")
    plain = all(
        part and part.isascii() and part.replace("-", "").replace(".", "").isalnum() for part in _parts(program)
    )
    return program.startswith("/") and plain and len(text) < 100 and (not option or option.lstrip("-").isalnum())


def _parts(path: str) -> list[str]:
    return path.split("/")[1:]


def _by_uri(table: Node, uri: str) -> Reference | None:
    """A bare path to a file, or to a folder with a slash at its end, is one in the app (project descriptor, "uri");
    any other bare path to a folder needs its ``./``, since it looks like an id.
    """
    ends = uri.endswith((".tgz", ".tar", ".tar.gz", ".cnb", "/"))
    bare = ends and "://" not in uri and not uri.startswith(("./", "/", "urn:"))
    try:
        return reference(f"./{uri}" if bare else uri)
    except InvalidInput as error:
        table.wrong("uri", error.message)
        return None
