"""What an app.json wants before the first deploy: config vars with a value, made-up secrets, and those that the user must
set.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from wherry.domain.config import changed
from wherry.domain.errors import InvalidInput, PushRefused
from wherry.domain.model import Actor, App, Source
from wherry.flow.ledger_ports import Transaction

_SECRET_BYTES = 32


def set_env(tx: Transaction, actor: Actor, app: App, source: Source, now: datetime, origin: str) -> None:
    """Until a release has served; what is set already stays. Raises PushRefused with the name of each that is missing."""
    wishes = source.wishes.env
    if not wishes or tx.releases.current(app.id) is not None:
        return
    config = tx.apps.config(app.id)
    unset = {name: wish for name, wish in wishes.items() if name not in config}
    if missing := [name for name, wish in unset.items() if wish.required and not wish.value and not wish.secret]:
        raise PushRefused(
            "app.json requires config vars that are not set",
            evidence=[f"app.json: env.{name}: it has no value" for name in missing],
            hint=f"Set them, and push again: wherry config:set -a {app.name} {' '.join(f'{name}=…' for name in missing)}",
        )
    changes = {
        name: secrets.token_hex(_SECRET_BYTES) if wish.secret else wish.value
        for name, wish in unset.items()
        if wish.secret or wish.value is not None
    }
    try:
        after = changed(config, changes)
    except InvalidInput as error:
        raise PushRefused("app.json's env cannot be set", evidence=error.evidence) from error
    if after != config:
        tx.apps.put_config(app.id, after)
        tx.events.add(now, actor, app.name, "config.change", after={"set": sorted(changes)}, origin=origin)
