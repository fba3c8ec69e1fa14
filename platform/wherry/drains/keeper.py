"""A sender for each drain that there is, and for no other."""

from __future__ import annotations

from dataclasses import dataclass, field

from wherry.drains.dial import Dialer
from wherry.drains.sender import Sender
from wherry.flow.ledger_ports import Ledger
from wherry.flow.log_ports import AppLogs


@dataclass
class DrainKeeper:
    ledger: Ledger
    logs: AppLogs
    dialer: Dialer
    _senders: dict[int, Sender] = field(default_factory=dict)

    def refresh(self) -> None:
        """To be called whenever drains may have changed."""
        with self.ledger.begin(read_only=True) as tx:
            wanted = {drain.id: drain for drain in tx.drains.all()}
        for gone in set(self._senders) - set(wanted):
            self._senders.pop(gone).stop()
        for number in set(wanted) - set(self._senders):
            sender = Sender(wanted[number], self.logs, self.dialer)
            sender.start()
            self._senders[number] = sender

    def close(self) -> None:
        for sender in self._senders.values():
            sender.stop()
