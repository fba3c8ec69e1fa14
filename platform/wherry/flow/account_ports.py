"""What the stories need of the ledger about people: their accounts, what opens a door for them, their roles."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from wherry.domain.model import Actor, Collaborator, Token, User
from wherry.domain.roles import EVERYTHING, Role, Scope
from wherry.domain.ssh_keys import PublicKey, UserKey
from wherry.domain.transfers import Transfer, TransferState


class Collaborators(Protocol):
    def of_app(self, app_id: int) -> list[Collaborator]:
        """By address."""

    def of(self, app_id: int, user_id: int) -> Collaborator | None: ...

    def put(self, app_id: int, user: Actor, roles: frozenset[Role], now: datetime) -> Collaborator:
        """Instead of the roles that the user had."""

    def forget(self, user_id: int) -> None:
        """Takes all roles of a user."""

    def remove(self, app_id: int, user_id: int) -> bool:
        """False when there was none."""


class Transfers(Protocol):
    """Offers of apps to other owners; those of apps that are gone are left out."""

    def add(self, app_id: int, owner: Actor, recipient: Actor, now: datetime) -> Transfer:
        """Pending; takes the place of another of that app that is."""

    def by_id(self, transfer_id: int) -> Transfer:
        """Raises NotFound."""

    def of_user(self, user_id: int) -> list[Transfer]:
        """Those that the user made or was made, oldest first."""

    def close(self, transfer_id: int, state: TransferState, now: datetime) -> Transfer:
        """Raises NotFound."""

    def remove(self, transfer_id: int) -> None: ...


class Accounts(Protocol):
    def ensure(self, email: str, admin: bool, now: datetime | None = None, invited_by: str = "") -> Actor:
        """The user with that address, made when missing or removed. Upper and lower case are one; an admin stays one.
        `invited_by` is kept of a new one only; without it the admin vouches, for a known one too.
        """

    def by_email(self, email: str) -> Actor | None: ...

    def was_removed(self, email: str) -> bool: ...

    def user(self, user_id: int) -> User:
        """Raises NotFound, for a removed one too."""

    def users(self) -> list[User]:
        """By address; those that were not removed."""

    def set_name(self, user_id: int, name: str) -> None: ...

    def remove(self, user_id: int, now: datetime) -> None:
        """Their credentials and roles go at once; what they did stays theirs."""

    def add_token(
        self,
        actor: Actor,
        digest: str,
        description: str,
        now: datetime,
        expires_at: datetime | None = None,
        kind: str = "token",
        scopes: frozenset[Scope] = EVERYTHING,
    ) -> Token:
        """`digest`: SHA-256 of the token, hex. Adding the same digest again changes nothing. One of a `kind` opens no
        other kind's door. An expired one lives 60 seconds more, for clocks that differ.
        """

    def by_token(self, digest: str, now: datetime, kind: str = "token") -> Actor | None:
        """With the token's scopes. None for unknown, expired, or of a removed user."""

    def tokens(self, user_id: int) -> list[Token]:
        """Of kind "token", oldest first."""

    def renew_token(self, user_id: int, token_id: int, digest: str, now: datetime) -> Token | None:
        """The same token under another digest. None when the user has no such token."""

    def describe_token(self, user_id: int, token_id: int, description: str, now: datetime) -> Token | None:
        """The same token in other words. None when the user has no such token."""

    def revoke_token(self, user_id: int, token_id: int) -> Token | None:
        """None when the user had no such token."""

    def drop_token(self, digest: str) -> None:
        """Of any kind."""

    def drop_expired(self, user_id: int, now: datetime) -> None: ...

    def use_once(self, digest: str, now: datetime) -> Actor | None:
        """As by_token for a link, which is gone afterwards."""


class SshKeys(Protocol):
    def add(self, user: Actor, key: PublicKey, now: datetime) -> UserKey:
        """Raises Conflict for a key that is anybody's."""

    def by_id(self, key_id: int) -> UserKey | None: ...

    def of_user(self, user_id: int) -> list[UserKey]:
        """Oldest first."""

    def all(self) -> list[UserKey]: ...

    def remove(self, key_id: int) -> None: ...
