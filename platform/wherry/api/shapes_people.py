"""Accounts, their keys and tokens, and who shares an app, in the JSON shapes of Heroku's Platform API v3. Pure, as `shapes` is."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from wherry.api.shapes import Json, Shapes, time
from wherry.domain.model import Actor, App, Collaborator, Token, User
from wherry.domain.roles import ALL_ROLES, MEANS, Role, Scope
from wherry.domain.secret import Secret
from wherry.domain.ssh_keys import UserKey
from wherry.domain.transfers import Transfer


def account(shapes: Shapes, user: User) -> Json:
    return {
        "allow_tracking": False,
        "beta": False,
        "created_at": time(user.created_at),
        "default_organization": None,
        "default_team": None,
        "delinquency_at": None,
        "email": user.actor.email,
        "federated": False,
        "id": shapes.ids.of("account", user.actor.id),
        "identity_provider": None,
        "invited_by": user.invited_by or None,
        "name": user.name or user.actor.email.partition("@")[0],
        "suspended_at": None,
        "two_factor_authentication": False,
        "verified": True,
        "wherry_admin": user.actor.admin,
    }


def owner(shapes: Shapes, app: App) -> Json:
    """The owner stands first among the collaborators, as Heroku's does."""
    moments = app.created_at, app.updated_at
    return _collaborator(shapes, app, shapes.ids.of("owner", app.id), app.owner, "owner", ALL_ROLES, moments)


def collaborator(shapes: Shapes, app: App, who: Collaborator) -> Json:
    ident, moments = shapes.ids.of("collaborator", who.id), (who.created_at, who.updated_at)
    return _collaborator(shapes, app, ident, who.user, "collaborator", who.roles, moments)


def authorization(shapes: Shapes, user: Actor, token: Token, now: datetime, secret: Secret | None = None) -> Json:
    """The token itself stands in the answer that makes it, and never again."""
    ident = shapes.ids.of("authorization", token.id)
    left = None if token.expires_at is None else max(0, int((token.expires_at - now).total_seconds()))
    return {
        "access_token": {
            "expires_in": left,
            "id": shapes.ids.of("access token", token.id),
            "token": secret.reveal() if secret else None,
        },
        "client": None,
        "created_at": time(token.created_at),
        "description": token.description,
        "grant": None,
        "id": ident,
        "refresh_token": None,
        "scope": [str(each) for each in Scope if each in token.scopes],
        "session": None,
        "updated_at": time(token.updated_at),
        "user": shapes.user_reference(user),
    }


def transfer(shapes: Shapes, offer: Transfer) -> Json:
    return {
        "app": {"id": shapes.ids.of("app", offer.app_id), "name": offer.app},
        "created_at": time(offer.created_at),
        "id": shapes.ids.of("transfer", offer.id),
        "owner": shapes.user_reference(offer.owner),
        "recipient": shapes.user_reference(offer.recipient),
        "state": str(offer.state),
        "updated_at": time(offer.updated_at),
    }


def key(shapes: Shapes, key: UserKey) -> Json:
    at = time(key.created_at)
    return {
        "comment": key.key.comment,
        "created_at": at,
        "email": key.user.email,
        "fingerprint": key.key.fingerprint,
        "id": shapes.ids.of("key", key.id),
        "public_key": f"{key.key.line} {key.key.comment}".strip(),
        "updated_at": at,
    }


def login_url(shapes: Shapes, link: Secret) -> str:
    return f"{shapes.base}/login?token={link.reveal()}"


def _collaborator(
    shapes: Shapes,
    app: App,
    ident: str,
    user: Actor,
    role: str,
    roles: Collection[Role],
    moments: tuple[datetime, datetime],
) -> Json:
    return {
        "app": shapes.app_reference(app),
        "created_at": time(moments[0]),
        "id": ident,
        "permissions": [{"description": MEANS[each], "name": str(each)} for each in Role if each in roles],
        "role": role,
        "updated_at": time(moments[1]),
        "user": {**shapes.user_reference(user), "federated": False},
    }
