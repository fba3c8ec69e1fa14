"""Images come by digest, with the registry's login, in three tries (a registry may be restarting)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import sleep

from docker.errors import APIError, NotFound

from wherry.domain.errors import PlatformFault
from wherry.domain.registry_names import Place
from wherry.domain.text import printable
from wherry.logins import FixedLogin, Logins
from wherry.runtimes.machine.engine import HINT, Engine


class NotPulled(PlatformFault):
    """The registry does not give the image: it is down, slow, or has no such digest."""


@dataclass(frozen=True, slots=True)
class Registry:
    """`address` as image references begin with it: ``127.0.0.1:8302`` or ``registry.example.com/team``."""

    address: str
    logins: Logins = field(default_factory=FixedLogin)

    def name(self, repository: str) -> str:
        """``HOST/NAME``, as the engine tags it."""
        place = Place.of(self.address)
        return f"{place.host}/{place.name(repository)}"

    def reference(self, repository: str, digest: str) -> str:
        return Place.of(self.address).reference(repository, digest)

    def login_for(self, reference: str) -> dict[str, str]:
        """What the engine needs to pull or push `reference`; empty for images of another registry. Raises PlatformFault."""
        if not reference.startswith(self.address + "/"):
            return {}
        login = self.logins.current()
        server = {"serveraddress": self.address.partition("/")[0]}
        if login.identity:
            return {"identitytoken": login.password.reveal(), **server}
        return {"username": login.username, "password": login.password.reveal(), **server} if login.username else {}


def pull(engine: Engine, registry: Registry, reference: str, pauses: Sequence[float] = (0.5, 2.0)) -> None:
    """Makes `reference` (NAME@sha256:… or NAME:TAG) present. `pauses`: seconds before each further try.

    Raises NotPulled when the last try failed, or at once when the registry says that there is no such image.
    """
    for pause in (*pauses, None):
        refusal = _try(engine, registry, reference)
        if not refusal:
            return
        if pause is None or "manifest unknown" in refusal or "not found" in refusal:
            break
        sleep(pause)
    raise NotPulled(f"the image {printable(reference, 300)} could not be pulled", evidence=[refusal], hint=HINT)


def _try(engine: Engine, registry: Registry, reference: str) -> str:
    """Why it failed; "" when it did not."""
    name, _, digest = reference.partition("@")
    with engine.doing(f"pull {reference}"):
        try:
            lines = engine.api.pull(
                name, tag=digest or None, stream=True, decode=True, auth_config=registry.login_for(reference)
            )
            errors = [line["error"] for line in lines if isinstance(line, dict) and "error" in line]
        except APIError as error:
            errors = [error.explanation or str(error)]
    return printable(str(errors[-1]), 300) if errors else ""


def with_image(engine: Engine, registry: Registry, reference: str, create: Callable[[], str]) -> str:
    """What `create` returns; the image is pulled only when the engine says that it is missing."""
    try:
        return create()
    except NotFound as error:
        if "image" not in str(error.explanation).lower():
            raise
    pull(engine, registry, reference)
    return create()
