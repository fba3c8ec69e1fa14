"""A client for one registry (OCI distribution spec 1.0): blobs and manifests, each checked by its digest.

Doing a thing twice is doing it once: what is there already is not sent again.
"""

from __future__ import annotations

import hashlib
import io
import re
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO
from urllib.parse import urlencode, urljoin

import requests

from wherry.domain.errors import InvalidInput, NotFound, PlatformFault
from wherry.domain.registry_names import HUB, HUB_API, Place
from wherry.domain.secret import Secret
from wherry.domain.text import printable
from wherry.images.address import NAME, parse
from wherry.images.failures import HINT, broken
from wherry.images.layer_cache import DIGEST
from wherry.images.manifest import READABLE, Document
from wherry.images.patience import Interrupted, Patience, Tries
from wherry.images.transport import Transport
from wherry.images.upload import Upload
from wherry.logins import FixedLogin, Login, Logins

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
LONGEST_DOCUMENT = 8 * 1024 * 1024
_NO_PASSWORD = Secret("")
_PIECE = 1024 * 1024


class Registry:
    """`url`: ``http(s)://HOST[:PORT][/PREFIX]``; without a scheme https, but http on this machine. The prefix begins
    every repository's name. `logins`: instead of username and password. Safe to use from many threads. Raises
    InvalidInput for a URL outside the grammar.

    Methods raise InvalidInput for names outside their grammar, and PlatformFault for what the registry does wrong or
    does not do at all.
    """

    def __init__(
        self,
        url: str,
        username: str = "",
        password: Secret = _NO_PASSWORD,
        patience: Patience | None = None,
        logins: Logins | None = None,
    ) -> None:
        base, prefix = parse(url)
        scheme, _, host = base.partition("://")
        self._place = Place.of(f"{host}/{prefix}")
        if self._place.host == HUB:
            base = f"{scheme}://{HUB_API}"
        self._transport = Transport(base, logins or FixedLogin(Login(username, password)), patience or Patience())
        self.address = str(self._place)
        """As references of images begin: ``127.0.0.1:8302`` or ``registry.example.com/team``."""

    def reference(self, repository: str, digest: str) -> str:
        """What an engine pulls."""
        return self._place.reference(repository, digest)

    def whole(self) -> Registry:
        """The same registry and login without the prefix; to be closed by itself."""
        return Registry(self._transport.base, patience=self._transport.patience, logins=self._transport.logins)

    def close(self) -> None:
        self._transport.close()

    def ping(self) -> None:
        """Raises PlatformFault when it does not answer, or does not take our login."""
        self._transport.call("GET", "/v2/", (), [200])

    # -- blobs

    def has_blob(self, repository: str, digest: str) -> bool:
        return self._has(f"{self._path(repository)}blobs/{_digest(digest)}", repository)

    def put_blob(self, repository: str, digest: str, blob: Path | bytes, source: str = "", *, ask: bool = True) -> bool:
        """Makes the repository have the blob; False when it had it, or could take it from the repository `source`.
        Without `ask`, for what is hardly there, it is not asked for first.
        """
        if ask and self.has_blob(repository, digest):
            return False
        session = ""
        if source and source != repository:
            mounted, session = self._mount(repository, digest, source)
            if mounted:
                return False
        path = f"{self._path(repository)}blobs/"
        Upload(self._transport, path, (self._scope(repository, "pull,push"),), digest, session).send(blob)
        return True

    def mount_blob(self, repository: str, digest: str, source: str, *, ask: bool = True) -> bool:
        """Makes the repository have a blob of the repository `source` without sending it; False when neither has it.
        Without `ask`, for what is hardly there, it is not asked for first.
        """
        if ask and self.has_blob(repository, digest):
            return True
        return self._mount(repository, digest, source)[0] or (not ask and self.has_blob(repository, digest))

    def blob(self, repository: str, digest: str) -> bytes:
        """A small blob, such as an image's config. Raises NotFound."""
        with io.BytesIO() as memory:
            self._download(repository, digest, memory, LONGEST_DOCUMENT)
            return memory.getvalue()

    def fetch_blob(self, repository: str, digest: str, folder: Path, most: int | None = None) -> Path:
        """Writes the blob, of at most `most` bytes, into `folder`, named by its digest. Raises NotFound."""
        target = folder / _digest(digest).partition(":")[2]
        try:
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".draft-") as file:
                self._download(repository, digest, file, most)
                file.flush()
                target.unlink(missing_ok=True)
                target.hardlink_to(file.name)
        except OSError as error:
            raise PlatformFault(f"a layer cannot be stored: {printable(str(error), 300)}") from error
        return target

    # -- manifests

    def has_manifest(self, repository: str, digest: str) -> bool:
        accept = {"Accept": ", ".join(READABLE)}
        return self._has(f"{self._path(repository)}manifests/{_digest(digest)}", repository, accept)

    def manifest(self, repository: str, reference: str) -> Document:
        """By digest or tag. Raises NotFound."""
        if not (TAG.fullmatch(reference) or DIGEST.fullmatch(reference)):
            raise InvalidInput(f"'{printable(reference)}' is neither a tag nor a digest")
        path = f"{self._path(repository)}manifests/{reference}"
        scopes = [self._scope(repository, "pull")]
        response = self._transport.call("GET", path, scopes, [200, 404], {"Accept": ", ".join(READABLE)})
        if response.status_code == 404:
            raise NotFound(f"the registry has no image {self.address}/{repository} {reference}")
        document = Document(response.headers.get("Content-Type", "").partition(";")[0].strip(), response.content)
        if DIGEST.fullmatch(reference) and document.digest != reference:
            raise PlatformFault(f"the registry answered {document.digest} when asked for {reference}")
        return document

    def put_manifest(self, repository: str, document: Document, tag: str = "") -> str:
        """Its digest, once the registry has said that it stored just this; nothing refers to it before."""
        path = f"{self._path(repository)}manifests/{tag or document.digest}"
        headers = {"Content-Type": document.media_type}
        scopes = [self._scope(repository, "pull,push")]
        response = self._transport.call("PUT", path, scopes, [201], headers, document.body)
        told = response.headers.get("Docker-Content-Digest") or self.manifest(repository, document.digest).digest
        if told != document.digest:
            raise PlatformFault(f"the registry stored {document.digest} as {printable(told)}")
        return document.digest

    def tags(self, repository: str) -> list[str]:
        """None of a repository that is not there."""
        path, scopes = f"{self._path(repository)}tags/list", [self._scope(repository, "pull")]
        response = self._transport.call("GET", path, scopes, [200, 404])
        if response.status_code == 404:
            return []
        try:
            found = response.json().get("tags")
        except (ValueError, AttributeError) as error:
            raise PlatformFault("the registry's list of tags cannot be read") from error
        return sorted(str(each) for each in found) if isinstance(found, list) else []

    def delete_manifest(self, repository: str, digest: str) -> bool:
        """What is not there counts as deleted. False where the registry deletes nothing for its clients (405, or the error
        UNSUPPORTED of the distribution spec), as some hosted ones do: they have retention rules of their own.
        """
        path = f"{self._path(repository)}manifests/{_digest(digest)}"
        scopes = [self._scope(repository, "delete,pull")]
        response = self._transport.call("DELETE", path, scopes, [202, 200, 204, 400, 404, 405, 501])
        if response.status_code == 400 and b"UNSUPPORTED" not in response.content:
            raise PlatformFault(f"the registry does not delete {self.address}/{repository}@{digest}", hint=HINT)
        return response.status_code not in (400, 405, 501)

    # -- for engines of users (passage.py)

    def ask(
        self,
        method: str,
        repository: str,
        rest: str,
        expect: list[int],
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
        *,
        push: bool = False,
    ) -> requests.Response:
        """One request below ``/v2/NAME/``, asked once; its answer is read as a stream, and closed by the caller. Raises
        Interrupted for what may pass.
        """
        scopes = [self._scope(repository, "pull,push" if push else "pull")]
        return self._transport.once(method, self._path(repository) + rest, scopes, expect, headers, body, stream=True)

    def path_of(self, repository: str) -> str:
        """Of the repository at its registry, with a slash at its end."""
        return self._path(repository)

    # -- below

    def _has(self, path: str, repository: str, headers: dict[str, str] | None = None) -> bool:
        scopes = [self._scope(repository, "pull")]
        return self._transport.call("HEAD", path, scopes, [200, 404], headers).status_code == 200

    def _mount(self, repository: str, digest: str, source: str) -> tuple[bool, str]:
        """Whether it worked, else the upload session that the registry opened instead, if it did."""
        path = f"{self._path(repository)}blobs/uploads/"
        query = urlencode({"mount": _digest(digest), "from": self._name(source)})
        scopes = [self._scope(repository, "pull,push"), self._scope(source, "pull")]
        response = self._transport.call("POST", f"{path}?{query}", scopes, [201, 202])
        return response.status_code == 201, urljoin(response.url, response.headers.get("Location", ""))

    def _download(self, repository: str, digest: str, file: IO[bytes], most: int | None = None) -> None:
        tries = Tries(self._transport.patience)
        while True:
            try:
                return self._read(repository, digest, file, most, tries.deadline)
            except Interrupted as interrupted:
                tries.pause(interrupted)
                file.seek(0)
                file.truncate()

    def _read(self, repository: str, digest: str, file: IO[bytes], most: int | None, deadline: float) -> None:
        path = f"{self._path(repository)}blobs/{_digest(digest)}"
        scopes = [self._scope(repository, "pull")]
        hashed = hashlib.sha256()
        with self._transport.once("GET", path, scopes, [200, 404], stream=True) as response:
            if response.status_code == 404:
                raise NotFound(f"the registry has no blob {digest} in {repository}")
            try:
                for piece in response.iter_content(_PIECE):
                    hashed.update(piece)
                    file.write(piece)
                    if time.monotonic() > deadline or (most is not None and file.tell() > most):
                        raise PlatformFault(f"the blob {digest} takes too long, or is too long, to be read")
            except requests.RequestException as error:
                raise broken("GET", response.url, error) from error
        if f"sha256:{hashed.hexdigest()}" != digest:
            raise PlatformFault(f"the registry answered sha256:{hashed.hexdigest()} when asked for {digest}")

    def _name(self, repository: str) -> str:
        name = self._place.name(repository)
        if not NAME.fullmatch(name) or len(name) > 255:
            raise InvalidInput(f"'{printable(name)}' is not the name of a repository")
        return name

    def _path(self, repository: str) -> str:
        return f"/v2/{self._name(repository)}/"

    def _scope(self, repository: str, actions: str) -> str:
        return f"repository:{self._name(repository)}:{actions}"


def _digest(text: str) -> str:
    if not DIGEST.fullmatch(text):
        raise InvalidInput(f"'{printable(text)}' is not a sha256 digest")
    return text
