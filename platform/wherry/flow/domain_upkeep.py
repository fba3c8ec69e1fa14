"""Are the domains that were proved once still their owners'? The TXT record is looked at again every day. What is amiss is
told and marked; nothing is taken away, since a mistake in DNS must not stop an app.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from wherry.domain.domains import AGAIN, EVERY, PATIENCE, CustomDomain, names_another, proof, proof_name
from wherry.domain.errors import NotFound
from wherry.domain.secret import Secret
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock, NoAnswer, TextRecords

_AT_ONCE = 50


@dataclass(frozen=True)
class RecheckDomains:
    """`key` makes the proofs. Domains for which an admin vouched have none, and are let be."""

    ledger: Ledger
    clock: Clock
    texts: TextRecords
    key: Secret

    def run(self) -> None:
        """All that are due."""
        while due := self._due():
            for each in due:
                self._look(each)

    def _due(self) -> list[CustomDomain]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.domains.due(self.clock.now(), _AT_ONCE)

    def _look(self, domain: CustomDomain) -> None:
        where, wanted = proof_name(domain.name), proof(self.key, domain.owner_id, domain.name)
        try:
            texts = self.texts.of(where)
        except NoAnswer:
            self._note(replace(domain, look_at=self.clock.now() + AGAIN))
            return
        now = self.clock.now()
        later = replace(domain, look_at=now + EVERY)
        if wanted in texts:
            self._note(replace(later, missing_since=None, doubted_at=None, reason=""), domain.doubted_at is not None)
            return
        since, another = domain.missing_since or now, names_another(texts, wanted)
        reason = f"{where} names somebody else" if another else f"{where} no longer has its record"
        told = domain.doubted_at or (now if another or now - since >= PATIENCE else None)
        news = told is not None and domain.doubted_at is None
        self._note(replace(later, missing_since=since, doubted_at=told, reason=reason), news)

    def _note(self, domain: CustomDomain, news: bool = False) -> None:
        with self.ledger.begin() as tx:
            try:
                tx.domains.looked(domain)
            except NotFound:
                return  # it was taken away meanwhile
            if news:
                tell(tx, domain, self.clock.now())


def tell(tx: Transaction, domain: CustomDomain, now: datetime) -> None:
    """That it is proved, or that this is in doubt."""
    app = tx.apps.by_id(domain.app_id)
    doubt = {"reason": domain.reason} if domain.doubted_at else {}
    action = "domain.doubt" if domain.doubted_at else "domain.check"
    tx.events.add(now, app.owner, app.name, action, after={"domain": domain.name, **doubt}, origin="dns")
