"""What the terminal door is given."""

from __future__ import annotations

from wherry.fittings.runtimes import open_runtime
from wherry.fittings.stores import open_ledger
from wherry.flow.run import AttachOneOff
from wherry.home import Home
from wherry.settings import Settings
from wherry.wiring.parts import SystemClock


def wire_terminal(settings: Settings, home: Home) -> AttachOneOff:
    """For the terminal door."""
    return AttachOneOff(open_ledger(settings), open_runtime(settings, home), SystemClock())
