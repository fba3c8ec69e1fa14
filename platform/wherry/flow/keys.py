"""Whose key opens git over SSH. The ledger knows; sshd is told after each change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from wherry.domain.errors import Conflict, NotFound, Unauthorized
from wherry.domain.model import Actor
from wherry.domain.ssh_keys import UserKey, parse
from wherry.domain.text import printable
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock

MOST = 100
"""Keys of one user."""


class KeyRing(Protocol):
    """What sshd reads. The methods of one may be called by several processes at once."""

    def refresh(self, keys: Sequence[UserKey]) -> None:
        """From now on these are let in, and no others. Raises PlatformFault."""


@dataclass(frozen=True)
class Keys:
    ledger: Ledger
    clock: Clock
    ring: KeyRing

    def of(self, actor: Actor) -> list[UserKey]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.ssh_keys.of_user(actor.id)

    def add(self, actor: Actor, text: str, origin: str = "") -> UserKey:
        """Raises InvalidInput for what is no good key, Conflict for one that is known, whoever has it."""
        key, now = parse(text), self.clock.now()
        with self.ledger.begin() as tx:
            if len(tx.ssh_keys.of_user(actor.id)) >= MOST:
                raise Conflict(f"you have {MOST} keys, the most there may be", hint="To remove one: wherry keys:remove")
            added = tx.ssh_keys.add(actor, key, now)
            after = {"fingerprint": key.fingerprint, "comment": key.comment}
            tx.events.add(now, actor, "", "key.add", after=after, origin=origin)
        self.tell()
        return added

    def remove(self, actor: Actor, which: int | str, origin: str = "") -> UserKey:
        """By our number, fingerprint or comment; only the actor's own. Raises NotFound, Conflict for a comment that
        several have.
        """
        with self.ledger.begin() as tx:
            found = [
                each
                for each in tx.ssh_keys.of_user(actor.id)
                if which in (each.id, each.key.fingerprint, each.key.comment or each.id)
            ]
            if not found:
                raise NotFound(f"you have no key '{printable(str(which), 200)}'", hint="To see yours: wherry keys")
            if len(found) > 1:
                raise Conflict(
                    "several of your keys have this comment", hint="Name one by its fingerprint: wherry keys"
                )
            tx.ssh_keys.remove(found[0].id)
            before = {"fingerprint": found[0].key.fingerprint, "comment": found[0].key.comment}
            tx.events.add(self.clock.now(), actor, "", "key.remove", before=before, origin=origin)
        self.tell()
        return found[0]

    def actor(self, key_id: int) -> Actor:
        """Whose key it is, now. Raises Unauthorized."""
        with self.ledger.begin(read_only=True) as tx:
            found = tx.ssh_keys.by_id(key_id)
        if found is None:
            raise Unauthorized("this key is not known any more", hint="To add one: wherry keys:add")
        return found.user

    def tell(self) -> None:
        """Read after the change is kept, so that of two at once the later one writes what both did."""
        with self.ledger.begin(read_only=True) as tx:
            keys = tx.ssh_keys.all()
        self.ring.refresh(keys)
