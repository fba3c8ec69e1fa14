"""Custom domains: their grammar, who is in whose way, and the proof that a domain is its claimer's. Pure."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from wherry.domain.errors import Conflict, InvalidInput
from wherry.domain.secret import Secret
from wherry.domain.text import printable

MOST_DOMAINS = 100
"""Of one app."""

CLAIM = timedelta(hours=24)
"""So long a domain that nobody has proved to own keeps others from claiming it."""

EVERY, AGAIN = timedelta(hours=24), timedelta(hours=1)
"""A proved domain's record is looked at again so often; so soon when no name server told."""

PATIENCE = timedelta(days=7)
"""So long a record may be gone before that is told: people move their DNS, and forget a line."""

_LONGEST = 253
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PROOF_LABEL = "_wherry"
_PROOF = "wherry-verification="


@dataclass(frozen=True, slots=True)
class CustomDomain:
    """`verified_at`: when its owner was proved; None while it waits, and then `reason` says for what. It gets traffic
    only once it is verified. The proof of one that was proved by DNS is looked at again at `look_at`; `missing_since`: it
    is no longer there, and `doubted_at`: that was told. Its traffic stays.
    """

    id: int
    app_id: int
    owner_id: int
    name: str
    created_at: datetime
    verified_at: datetime | None = None
    checked_at: datetime | None = None
    reason: str = ""
    look_at: datetime | None = None
    missing_since: datetime | None = None
    doubted_at: datetime | None = None


def domain_name(text: object, apps_domain: str) -> str:
    """`text` as a domain: two labels or more in lower case, ASCII (an international name as its A-labels); the first
    may be ``*``. Raises InvalidInput.
    """
    if not isinstance(text, str):
        raise _refused("", "hostname: must be a string")
    labels = text.split(".")
    if len(text) > _LONGEST:
        raise _refused(text, f"hostname: {len(text)} characters long; {_LONGEST} is the most")
    named = labels[1:] if labels[0] == "*" else labels
    if len(named) < 2 or not all(_LABEL.fullmatch(label) for label in named):
        raise _refused(text, "hostname: must be a name such as www.example.org or *.example.org, without port and path")
    if _NUMBER.fullmatch(named[-1]):
        raise _refused(text, "hostname: an IP address is no domain")
    if covers(f"*.{apps_domain}", text) or text == apps_domain or covers(text, apps_domain):
        raise _refused(text, f"hostname: {apps_domain} and what is under it are the platform's own")
    return text


def _refused(text: str, problem: str) -> InvalidInput:
    return InvalidInput(f"'{printable(text, 80)}' is not a domain for an app", problems=[problem])


def covers(one: str, other: str) -> bool:
    """Whether requests for `other` would come to the holder of `one`, were there nobody else."""
    return one == other or (one.startswith("*.") and other.removeprefix("*").endswith(one[1:]))


def refuse_if_taken(name: str, app_id: int, owner_id: int, others: Iterable[CustomDomain], now: datetime) -> None:
    """`others`: domains that share their last two labels with `name`. Raises Conflict when one of another owner is the
    same, above or below it (T24): who owns the one could take the other's visitors. Of one owner, only the same name.
    """
    bare = name.removeprefix("*.")
    for other in others:
        if other.name == name and (other.app_id == app_id or other.owner_id == owner_id):
            where = "this app has it already" if other.app_id == app_id else "another app of yours has it"
            raise Conflict(f"the domain {name} is taken: {where}")
        if other.owner_id == owner_id or (other.verified_at is None and other.created_at < now - CLAIM):
            continue
        theirs = other.name.removeprefix("*.")
        if bare == theirs or bare.endswith("." + theirs) or theirs.endswith("." + bare):
            raise Conflict(
                f"the domain {name} is taken, or lies above or below one that is",
                hint="Whoever owns it in DNS can have it: ask the platform's operator.",
            )


def names_another(texts: Collection[str], wanted: str) -> bool:
    """Whether TXT records prove the domain to somebody, and not to whom `wanted` does."""
    return wanted not in texts and any(each.startswith(_PROOF) for each in texts)


def proof_name(name: str) -> str:
    """Where the TXT record is looked for."""
    return f"{_PROOF_LABEL}.{name.removeprefix('*.')}"


def proof(key: Secret, owner_id: int, name: str) -> str:
    """The text that the TXT record must have: another for each owner, so that nobody's serves somebody else (B63)."""
    message = f"domain {owner_id} {name.removeprefix('*.')}".encode()
    return _PROOF + hmac.digest(key.reveal().encode(), message, "sha256").hex()[:40]
