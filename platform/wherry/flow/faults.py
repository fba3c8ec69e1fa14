"""What nobody foresaw, made a fault of ours, so that it is tried again and then told, like any other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from wherry.domain.errors import PlatformFault, WherryError
from wherry.domain.model import Job
from wherry.flow.ledger_ports import Ledger

log = logging.getLogger(__name__)
MOST_ATTEMPTS = 3
"""Of a build or a rollout that is ended by faults of ours. Those that end with their worker do not count."""


@contextmanager
def foreseen(what: str) -> Iterator[None]:
    """Raises PlatformFault in place of any error that is not the domain's; the traceback goes to the log."""
    try:
        yield
    except WherryError:
        raise
    except Exception as error:
        log.exception("%s failed in a way nobody foresaw", what)
        hint = "The worker's log has the details: wherry status names the data folder."
        raise PlatformFault(f"{what} failed: {type(error).__name__}", hint=hint) from error


def is_due_again(ledger: Ledger, job: Job) -> bool:
    """After a fault of ours, which is written down when it was not the last. Raises Conflict when another worker holds the
    job now.
    """
    if job.faults + 1 >= MOST_ATTEMPTS:
        return False
    with ledger.begin() as tx:
        tx.jobs.fault(job)
    return True
