"""Custom domains: claim one, prove that it is yours by a TXT record, take it away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from wherry.domain import domains
from wherry.domain.domains import MOST_DOMAINS, CustomDomain, domain_name, proof, proof_name, refuse_if_taken
from wherry.domain.errors import Conflict, NotFound
from wherry.domain.model import Actor, App, JobKind
from wherry.domain.secret import Secret
from wherry.domain.text import printable
from wherry.flow.domain_upkeep import tell
from wherry.flow.lanes import route_lane
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock, NoAnswer, TextRecords

_AGAIN = timedelta(seconds=10)
"""Asking DNS about one domain more often than this would only wear out its servers."""


@dataclass(frozen=True)
class Domains:
    """`key` makes the proofs; `apps_domain` is the platform's own."""

    ledger: Ledger
    clock: Clock
    texts: TextRecords
    key: Secret
    apps_domain: str

    def of_app(self, app: App) -> list[CustomDomain]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.domains.of_app(app.id)

    def add(self, actor: Actor, app: App, text: object, origin: str = "") -> CustomDomain:
        """A platform's admin vouches for it; others have to prove it. Raises InvalidInput, Conflict."""
        name, now = domain_name(text, self.apps_domain), self.clock.now()
        with self.ledger.begin() as tx:
            app = tx.apps.by_id(app.id)
            if len(tx.domains.of_app(app.id)) >= MOST_DOMAINS:
                raise Conflict(f"{app.name} has {MOST_DOMAINS} domains, which is the most")
            refuse_if_taken(name, app.id, app.owner.id, tx.domains.near(name), now)
            found = tx.domains.add(app.id, app.owner.id, name, now, now if actor.admin else None)
            tx.events.add(now, actor, app.name, "domain.add", after={"domain": name}, origin=origin)
            self._reroute(tx, found)
        return found if found.verified_at else self.check(found)

    def check(self, domain: CustomDomain) -> CustomDomain:
        """Looks for the proof of one that waits, unless it was looked for just now."""
        now = self.clock.now()
        if domain.verified_at or (domain.checked_at and now - domain.checked_at < _AGAIN):
            return domain
        reason = self._missing(domain)
        with self.ledger.begin() as tx:
            reason = reason or self._overtaken(tx, domain, now)
            if not reason:
                self._drop_claims_of_others(tx, domain)
            found = tx.domains.checked(domain.id, now, None if reason else now, reason)
            if found.verified_at:
                tell(tx, found, now)
            self._reroute(tx, found)
        return found

    def remove(self, actor: Actor, app: App, text: str, origin: str = "") -> CustomDomain:
        """Raises NotFound."""
        now = self.clock.now()
        with self.ledger.begin() as tx:
            found = self.named(tx.domains.of_app(app.id), app, text)
            tx.domains.remove(found.id)
            tx.events.add(now, actor, app.name, "domain.remove", before={"domain": found.name}, origin=origin)
            self._reroute(tx, found)
        return found

    def named(self, known: list[CustomDomain], app: App, text: str) -> CustomDomain:
        """Raises NotFound."""
        for each in known:
            if each.name == text.lower():
                return each
        raise NotFound(
            f"{app.name} has no domain '{printable(text, 80)}'", hint=f"To see them: wherry domains -a {app.name}"
        )

    def proof(self, domain: CustomDomain) -> tuple[str, str]:
        """Name and text of the TXT record that proves it."""
        return proof_name(domain.name), proof(self.key, domain.owner_id, domain.name)

    def _missing(self, domain: CustomDomain) -> str:
        """What stands against it; empty when it is proved."""
        where, wanted = self.proof(domain)
        try:
            texts = self.texts.of(where)
        except NoAnswer as error:
            return f"{where}: {error.message}"
        if wanted in texts:
            return ""
        return f"{where} has " + (f"{len(texts)} other TXT records" if texts else "no TXT record")

    def _overtaken(self, tx: Transaction, domain: CustomDomain, now: datetime) -> str:
        """Why somebody else has it, who was faster to prove it; empty when nobody has."""
        proved = [each for each in tx.domains.near(domain.name) if each.verified_at and each.id != domain.id]
        try:
            refuse_if_taken(domain.name, domain.app_id, domain.owner_id, proved, now)
        except Conflict as error:
            return error.message
        return ""

    def _drop_claims_of_others(self, tx: Transaction, domain: CustomDomain) -> None:
        for each in tx.domains.near(domain.name):
            if not each.verified_at and each.owner_id != domain.owner_id and domains.covers(each.name, domain.name):
                tx.domains.remove(each.id)

    def _reroute(self, tx: Transaction, domain: CustomDomain) -> None:
        if domain.verified_at:
            tx.jobs.add(JobKind.ROUTE, domain.app_id, route_lane(domain.app_id))
