"""What nobody foresaw, made a fault of ours, so that it is tried again and then told, like any other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from wherry.domain.errors import PlatformFault, WherryError

log = logging.getLogger(__name__)


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
