"""People: accounts, tokens, keys, and who else may do what with an app."""

from __future__ import annotations

from wherry.api.openapi.notation import (
    COUNT,
    FLAG,
    NOTHING,
    TEXT,
    TIME,
    URL,
    UUID,
    Schema,
    answer,
    body,
    many,
    maybe,
    named,
    word,
)
from wherry.api.openapi.operation import NO_BODY, Operation, gets

_USER = answer(email=TEXT, id=UUID)
_ROLE = word("view", "operate", "deploy", "admin")
_ROLES = many(word("view", "operate", "deploy", "admin", "manage"))
_ACCOUNT: dict[str, Schema] = {
    "allow_tracking": FLAG,
    "beta": FLAG,
    "created_at": maybe(TIME),
    "default_organization": NOTHING,
    "default_team": NOTHING,
    "delinquency_at": NOTHING,
    "email": TEXT,
    "federated": FLAG,
    "id": UUID,
    "identity_provider": NOTHING,
    "invited_by": maybe(TEXT),
    "name": TEXT,
    "suspended_at": NOTHING,
    "two_factor_authentication": FLAG,
    "verified": FLAG,
    "wherry_admin": FLAG,
}
_COLLABORATOR: dict[str, Schema] = {
    "app": answer(id=UUID, name=TEXT),
    "created_at": TIME,
    "id": UUID,
    "permissions": many(answer(description=TEXT, name=_ROLE)),
    "role": word("owner", "collaborator"),
    "updated_at": TIME,
    "user": answer(email=TEXT, federated=FLAG, id=UUID),
}
OBJECTS: dict[str, Schema] = {
    "Account": answer(**_ACCOUNT),
    "InvitedAccount": answer(**_ACCOUNT, login_url=URL),
    "Authorization": answer(
        access_token=answer(expires_in=maybe(COUNT), id=UUID, token=maybe(TEXT)),
        client=NOTHING,
        created_at=TIME,
        description=TEXT,
        grant=NOTHING,
        id=UUID,
        refresh_token=NOTHING,
        scope=many(word("global", "identity", "read", "write", "read-protected", "write-protected")),
        session=NOTHING,
        updated_at=TIME,
        user=_USER,
    ),
    "Collaborator": answer(**_COLLABORATOR),
    "InvitedCollaborator": answer(**_COLLABORATOR, login_url=maybe(URL)),
    "Key": answer(
        comment=TEXT, created_at=TIME, email=TEXT, fingerprint=TEXT, id=UUID, public_key=TEXT, updated_at=TIME
    ),
}
OPERATIONS: dict[str, Operation] = {
    "GET /account": gets(named("Account")),
    "PATCH /account": Operation(body(name=maybe(TEXT)), {200: named("Account")}),
    "GET /users/~": gets(named("Account")),
    "PATCH /users/~": Operation(body(name=maybe(TEXT)), {200: named("Account")}),
    "GET /users": gets(many(named("Account"))),
    "POST /users": Operation(body("email", email=TEXT, admin=maybe(FLAG)), {201: named("InvitedAccount")}),
    "GET /users/<user>": gets(named("Account")),
    "DELETE /users/<user>": gets(named("Account")),
    "GET /account/keys": gets(many(named("Key"))),
    "POST /account/keys": Operation(body("public_key", public_key=TEXT), {201: named("Key")}),
    "GET /account/keys/<key>": gets(named("Key")),
    "DELETE /account/keys/<key>": gets(named("Key")),
    "GET /oauth/authorizations": gets(many(named("Authorization"))),
    "POST /oauth/authorizations": Operation(
        body(
            description=maybe(TEXT),
            scope=maybe(many(TEXT)),
            expires_in=maybe(
                {
                    "anyOf": [
                        {"type": "integer", "minimum": 1, "maximum": 315_360_000},
                        {"type": "string", "pattern": "^[0-9]{1,9}$"},
                    ]
                }
            ),
        ),
        {201: named("Authorization")},
    ),
    "GET /oauth/authorizations/<authorization>": gets(named("Authorization")),
    "PATCH /oauth/authorizations/<authorization>": Operation(
        body("description", description=maybe(TEXT)), {200: named("Authorization")}
    ),
    "DELETE /oauth/authorizations/<authorization>": gets(named("Authorization")),
    "POST /oauth/authorizations/<authorization>/actions/regenerate-tokens": Operation(
        NO_BODY, {200: named("Authorization")}
    ),
    "POST /oauth/tokens": Operation(
        body("grant", grant=body("type", "code", type=word("authorization_code"), code=TEXT)),
        {201: named("Authorization")},
    ),
    "GET /apps/<app>/collaborators": gets(many(named("Collaborator"))),
    "POST /apps/<app>/collaborators": Operation(
        body("user", user=TEXT, permissions=maybe(_ROLES), silent=maybe(FLAG), force=maybe(FLAG)),
        {201: named("InvitedCollaborator")},
    ),
    "GET /apps/<app>/collaborators/<collaborator>": gets(named("Collaborator")),
    "PATCH /apps/<app>/collaborators/<collaborator>": Operation(
        body("permissions", permissions=_ROLES), {200: named("Collaborator")}
    ),
    "DELETE /apps/<app>/collaborators/<collaborator>": gets(named("Collaborator")),
}
