"""When a cron schedule is due: a thin cover over the library that reads them. All times are UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable


class CronCalendar:
    """The adapter of flow.cron.Calendar."""

    def next_after(self, schedule: str, moment: datetime) -> datetime:
        """The first time after `moment`. Raises InvalidInput for a schedule that is none, or never due."""
        try:
            found: datetime = next(CronSim(schedule, moment.astimezone(UTC)))
        except (CronSimError, StopIteration) as error:
            why = str(error) or "it is never due"
            raise InvalidInput(f"'{printable(schedule, 100)}' is no schedule: {printable(why, 100)}") from None
        return found
