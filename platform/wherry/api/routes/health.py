"""/health: whether this process lives, and whether it can do its work."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from wherry.api.desk import Desk


def live(desk: Desk) -> ResponseReturnValue:
    return jsonify({"status": "live"})


def ready(desk: Desk) -> ResponseReturnValue:
    """Raises PlatformFault, which is 503, when the ledger does not answer."""
    with desk.world.ledger.begin(read_only=True) as tx:
        tx.jobs.waiting()
    return jsonify({"status": "ready"})
