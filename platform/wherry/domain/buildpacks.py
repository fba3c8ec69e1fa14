"""How an app names a buildpack, and the list of them that it keeps: one grammar for project.toml, API and CLI. Pure.

wherry/python  wherry/python@1.2.0            ours, by id; also urn:cnb:builder:ID and Heroku's urn:buildpack:ID
./my-buildpack                                a folder in the app
./packs/mine.tgz  ./packs/mine.cnb            a tarball, or a buildpackage, in the app
https://HOST/mine.tgz#sha256=HEX              the same by URL (.tar, .tar.gz, .tgz, .cnb)
https://HOST/team/mine.git#main               a git repository; without a name after # its default branch
docker://REGISTRY/NAME@sha256:HEX             a buildpackage image
docker:///buildpacks/NAME[:TAG]               the same in the platform's own registry
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

MOST = 100
LONGEST = 500
OUR_IMAGES = "buildpacks/"
"""What the names of buildpackages in our own registry begin with: its other images are the apps'."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_HOST = r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?"
_PART = r"[A-Za-z0-9_~+-][A-Za-z0-9._~+-]*"  # of a path: none begins with a dot, so none leads upwards
_PATH = re.compile(rf"\./{_PART}(?:/{_PART})*/?")
_URL = re.compile(rf"https?://{_HOST}(?:/{_PART})+/?")
_PREFIX = re.compile(rf"(?:https?|docker)://{_HOST}(?:/{_PART})*/?")
_REPOSITORY = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
_IMAGE = re.compile(
    rf"docker://(?P<host>{_HOST})?/(?P<name>{_REPOSITORY})"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_REF = re.compile(r"(?!.*(?:\.\.|//|\.lock$|/$))[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")
_SHA256 = re.compile(r"sha256=([0-9a-f]{64})")
_REGISTRY_URL = re.compile(r"https://buildpack-registry\.[a-z0-9.-]+/buildpacks/([\w-]+/[\w-]+)\.tgz", re.ASCII)
_CLASSIC_URL = re.compile(r"https://[a-z0-9.-]+/heroku/heroku-buildpack-([a-z]+)(?:\.git)?(?:#.*)?")
_OF_OURS = ("urn:cnb:builder:", "urn:buildpack:")


class Kind(StrEnum):
    ID = "id"
    FOLDER = "folder"
    TARBALL = "tarball"
    PACKAGE = "buildpackage file"
    GIT = "git repository"
    IMAGE = "buildpackage image"


@dataclass(frozen=True, slots=True)
class Reference:
    """`where`: an id, a path in the app without ``./``, a URL without its fragment, or an image as HOST/NAME.

    `version`: a buildpack's version, a git ref, or an image's tag. `digest`: ``sha256:HEX`` of what is fetched.
    """

    kind: Kind
    where: str
    version: str = ""
    digest: str = ""

    @property
    def url(self) -> str:
        """Where it is fetched from, "" for what is here already."""
        if self.kind is Kind.IMAGE:
            return "" if self.where.startswith("/") else f"docker://{self.where}"
        return self.where if "://" in self.where else ""

    def __str__(self) -> str:
        match self.kind:
            case Kind.ID:
                return f"{self.where}@{self.version}" if self.version else self.where
            case Kind.IMAGE:
                tag = f":{self.version}" if self.version else ""
                return f"docker://{self.where}{tag}" + (f"@{self.digest}" if self.digest else "")
            case Kind.GIT:
                return f"{self.where}#{self.version}" if self.version else self.where
        fragment = f"#{self.digest.replace(':', '=')}" if self.digest else ""
        return f"{self.where}{fragment}" if self.url else f"./{self.where}"


def reference(text: object) -> Reference:
    """Raises InvalidInput outside the grammar of this module's docstring."""
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
        raise _refused(text, f"a buildpack is named by a text of at most {LONGEST} characters")
    if registry := _REGISTRY_URL.fullmatch(text):
        text = registry[1]
    if classic := _CLASSIC_URL.fullmatch(text):
        text = f"heroku/{classic[1]}"  # not of this kind, but there is one of the same name that is
    for prefix in _OF_OURS:
        if text.startswith(prefix):
            return _id(text.removeprefix(prefix), text)
    if text.startswith("docker:"):
        return _image(text)
    if "://" in text:
        return _by_url(text)
    if text.startswith("./"):
        return _in_app(text)
    return _id(text, text)


def source_prefix(text: str) -> str:
    """One of the operator's allowed sources: ``https://HOST/PATH``, ``http://…`` or ``docker://…``. Raises InvalidInput."""
    if not _PREFIX.fullmatch(text):
        raise InvalidInput(
            f"'{printable(text)}' is not https://HOST[/PATH], http://HOST[/PATH] or docker://HOST[/PATH]"
        )
    return text


def allowed(url: str, prefixes: Sequence[str]) -> bool:
    """Whether `url` lies below one of the operator's prefixes: the same scheme and host, and its path part by part. A
    path that could lead upwards lies below none.
    """
    path = url.partition("?")[0]
    if "\\" in path or "%" in path or any(part in (".", "..") for part in path.split("/")):
        return False
    return any(url.rstrip("/") == each.rstrip("/") or url.startswith(each.rstrip("/") + "/") for each in prefixes)


def check_allowed(wanted: Reference, prefixes: Sequence[str]) -> None:
    """Raises InvalidInput for what the operator does not let anyone fetch (T27)."""
    if wanted.url and not allowed(wanted.url, prefixes):
        have = ", ".join(prefixes) or "none"
        raise InvalidInput(
            f"{printable(wanted.url)} is not a place that buildpacks may come from here: have {have}",
            hint="The platform's operator can allow it: WHERRY_BUILDPACK_SOURCES",
        )


def checked(texts: Sequence[object], prefixes: Sequence[str]) -> tuple[str, ...]:
    """An app's list in its one spelling. Raises InvalidInput with every fault: grammar, twice, too many, not allowed."""
    problems = [f"{len(texts)} buildpacks; the most is {MOST}"] if len(texts) > MOST else []
    found: list[str] = []
    for place, text in enumerate(texts[:MOST]):
        try:
            one = reference(text)
            check_allowed(one, prefixes)
        except InvalidInput as error:
            problems.append(f"updates[{place}].buildpack: {error.message}")
            continue
        if str(one) in found:
            problems.append(f"updates[{place}].buildpack: {one} stands twice")
        found.append(str(one))
    if problems:
        raise InvalidInput("the buildpacks were not changed", problems=problems)
    return tuple(found)


def _id(text: str, whole: str) -> Reference:
    name, at, version = text.partition("@")
    if not _ID.fullmatch(name) or (at and not _VERSION.fullmatch(version)):
        raise _refused(whole, "for example wherry/python, wherry/python@1.2.0, ./my-buildpack or an https URL")
    return Reference(Kind.ID, name, version)


def _in_app(text: str) -> Reference:
    if not _PATH.fullmatch(text):
        raise _refused(text, "a path in the app is ./NAME/NAME; no part of it begins with a dot")
    return Reference(_kind_of_file(text) or Kind.FOLDER, text.removeprefix("./").rstrip("/"))


def _image(text: str) -> Reference:
    found = _IMAGE.fullmatch(text)
    if not found:
        raise _refused(text, "an image is docker://REGISTRY/NAME@sha256:HEX, or docker:///buildpacks/NAME[:TAG]")
    host, name, tag, digest = (found[each] or "" for each in ("host", "name", "tag", "digest"))
    if host and not digest:
        raise _refused(text, "an image of another registry needs its digest: docker://REGISTRY/NAME@sha256:HEX")
    if not host and not name.startswith(OUR_IMAGES):
        raise _refused(text, f"buildpackages in our registry are at docker:///{OUR_IMAGES}NAME")
    return Reference(Kind.IMAGE, f"{host}/{name}", tag, digest)


def _by_url(text: str) -> Reference:
    url, hash_, fragment = text.partition("#")
    if not _URL.fullmatch(url):
        raise _refused(text, "a URL is http(s)://HOST/PATH of plain letters, without a login or a query")
    kind = _kind_of_file(url)
    if kind is None:
        if hash_ and not _REF.fullmatch(fragment):
            raise _refused(text, "after # stands a branch, a tag or a commit of the git repository")
        return Reference(Kind.GIT, url.rstrip("/"), fragment)
    digest = _SHA256.fullmatch(fragment)
    if not digest:
        raise _refused(text, "a file by URL needs its checksum: URL#sha256=HEX")
    return Reference(kind, url, "", f"sha256:{digest[1]}")


def _kind_of_file(path: str) -> Kind | None:
    if path.endswith(".cnb"):
        return Kind.PACKAGE
    return Kind.TARBALL if path.endswith((".tgz", ".tar", ".tar.gz")) else None


def _refused(text: object, why: str) -> InvalidInput:
    shown = printable(text, 120) if isinstance(text, str) else type(text).__name__
    return InvalidInput(f"'{shown}' does not name a buildpack: {why}")
