"""An app that is offered to another owner, who takes it or does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wherry.domain.errors import InvalidInput
from wherry.domain.model import Actor


class TransferState(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Transfer:
    """`owner`: who offered it. `app`: as it is called now."""

    id: int
    app_id: int
    app: str
    owner: Actor
    recipient: Actor
    state: TransferState
    created_at: datetime
    updated_at: datetime

    @property
    def waits(self) -> bool:
        """For its recipient's word."""
        return self.state is TransferState.PENDING


def answer(text: object) -> TransferState:
    """What a recipient may say. Raises InvalidInput."""
    if text in (TransferState.ACCEPTED, TransferState.DECLINED):
        return TransferState(str(text))
    raise InvalidInput("the transfer stays as it is", problems=["state: must be accepted or declined"])
