"""The local admin: made with the platform, with a random token in a file that only its owner reads. No password, no
open page.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from wherry.domain.secret import Secret
from wherry.fittings.stores import open_ledger
from wherry.flow.access import digest
from wherry.home import Home
from wherry.settings import Settings
from wherry.wiring.parts import SystemClock

ADMIN = "admin@localhost"
LINK_LIVES = timedelta(minutes=15)


def open_account(settings: Settings, home: Home) -> Secret:
    """The admin's token; made, and known to the ledger, from the first call on."""
    token = home.secret("admin-token")
    with open_ledger(settings).begin() as tx:
        admin = tx.accounts.ensure(ADMIN, admin=True)
        tx.accounts.add_token(admin, digest(token), "the platform's own machine", SystemClock().now())
    return token


def login_link(settings: Settings) -> str:
    """A URL that logs the admin in to the portal once, within a quarter of an hour."""
    link = Secret(secrets.token_urlsafe(32))
    now = SystemClock().now()
    with open_ledger(settings).begin() as tx:
        admin = tx.accounts.ensure(ADMIN, admin=True)
        tx.accounts.add_token(admin, digest(link), "login link", now, now + LINK_LIVES, kind="link")
    return f"{settings.web_url}/login?token={link.reveal()}"
