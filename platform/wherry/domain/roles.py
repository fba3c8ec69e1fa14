"""Who may do what: the roles that an app gives, the scopes that a token has, and the permission that each door asks for.

Everything is denied but what stands in `RULES`. The names of roles are Heroku's for apps of teams (its "manage" is our
admin), those of scopes are its OAuth's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable


class Role(StrEnum):
    """What a collaborator was given on one app. The owner, and an admin of the platform, have all of them."""

    VIEW = "view"
    OPERATE = "operate"
    DEPLOY = "deploy"
    ADMIN = "admin"


class Scope(StrEnum):
    """What a token may be used for, at most; it never gives more than its user's roles."""

    GLOBAL = "global"
    IDENTITY = "identity"
    READ = "read"
    WRITE = "write"
    READ_PROTECTED = "read-protected"
    WRITE_PROTECTED = "write-protected"


class Permission(StrEnum):
    """What a route, page or git service asks for. The first group is of one app, the second of no app."""

    VIEW = "view"  # the app, its releases, builds, processes, logs and events
    CODE = "code"  # to fetch its repository
    CONFIG = "config"  # to read its config
    CONFIGURE = "configure"  # to change its config
    OPERATE = "operate"  # scale, restart, stop, maintenance, domains, drains
    RUN = "run"  # one-offs, which read the config
    DEPLOY = "deploy"  # push, build, release an image, what it is built with
    CHANGE = "change"  # what operators and deployers share: go back to a release; a route may ask for more
    ADMIN = "admin"  # rename, destroy
    SHARE = "share"  # who else may do what: a token that cannot be this one must not make itself a way in

    IDENTITY = "identity"  # who am I
    LIST = "list"  # what there is, of it what one may see
    CREATE = "create"  # a new app
    ACCOUNT = "account"  # one's own account and tokens
    PLATFORM = "platform"  # everybody's: users, all events


MEANS: Mapping[Role, str] = {
    Role.VIEW: "see the app, its releases, processes and logs",
    Role.OPERATE: "scale, restart, roll back, change config",
    Role.DEPLOY: "push, build, roll back, change config",
    Role.ADMIN: "everything, collaborators included",
}
"""In words, for who gives them."""
ALL_ROLES = frozenset(Role)
EVERYTHING = frozenset({Scope.GLOBAL})

_READ = frozenset({Scope.READ, Scope.READ_PROTECTED, Scope.WRITE, Scope.WRITE_PROTECTED})
_READ_PROTECTED = frozenset({Scope.READ_PROTECTED, Scope.WRITE_PROTECTED})
_WRITE = frozenset({Scope.WRITE, Scope.WRITE_PROTECTED})
_WRITE_PROTECTED = frozenset({Scope.WRITE_PROTECTED})
_NONE: frozenset[Scope] = frozenset()
_HANDS = frozenset({Role.OPERATE, Role.DEPLOY, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Rule:
    """Any one of `roles` and any one of `scopes` (beside global, which always does). No roles: it is of no app."""

    scopes: frozenset[Scope]
    roles: frozenset[Role] = frozenset()
    platform: bool = False


RULES: Mapping[Permission, Rule] = {
    Permission.VIEW: Rule(_READ, ALL_ROLES),
    Permission.CODE: Rule(_READ, frozenset({Role.DEPLOY, Role.ADMIN})),
    Permission.CONFIG: Rule(_READ_PROTECTED, _HANDS),
    Permission.CONFIGURE: Rule(_WRITE_PROTECTED, _HANDS),
    Permission.OPERATE: Rule(_WRITE, frozenset({Role.OPERATE, Role.ADMIN})),
    Permission.RUN: Rule(_WRITE_PROTECTED, frozenset({Role.OPERATE, Role.ADMIN})),
    Permission.DEPLOY: Rule(_WRITE, frozenset({Role.DEPLOY, Role.ADMIN})),
    Permission.CHANGE: Rule(_WRITE, _HANDS),
    Permission.ADMIN: Rule(_WRITE, frozenset({Role.ADMIN})),
    Permission.SHARE: Rule(_NONE, frozenset({Role.ADMIN})),
    Permission.IDENTITY: Rule(frozenset(Scope)),
    Permission.LIST: Rule(_READ),
    Permission.CREATE: Rule(_WRITE),
    Permission.ACCOUNT: Rule(_NONE),
    Permission.PLATFORM: Rule(_NONE, platform=True),
}


def of_app(permission: Permission) -> bool:
    return bool(RULES[permission].roles)


def scopes_allow(scopes: Collection[Scope], permission: Permission) -> bool:
    return Scope.GLOBAL in scopes or not RULES[permission].scopes.isdisjoint(scopes)


def roles_allow(roles: Collection[Role], permission: Permission) -> bool:
    """False for a permission that is of no app."""
    return not RULES[permission].roles.isdisjoint(roles)


def granted(roles: Collection[Role]) -> frozenset[Permission]:
    """All that these roles allow on their app."""
    return frozenset(each for each in Permission if roles_allow(roles, each))


def said(names: Collection[Role] | Collection[Scope]) -> str:
    """In the order in which they are declared: "operate, deploy"."""
    order: list[Role | Scope] = [*Role, *Scope]
    return ", ".join(sorted((str(each) for each in names), key=lambda each: [str(one) for one in order].index(each)))


def roles_named(names: object) -> frozenset[Role]:
    """A list of names as roles; every role includes view. Raises InvalidInput with each name that is none."""
    known = {str(each): each for each in Role} | {"manage": Role.ADMIN}
    given = names if isinstance(names, list) else None
    problems = [
        f"permissions: there is no '{printable(str(each), 40)}' (there are: {said(ALL_ROLES)})"
        for each in given or ()
        if not isinstance(each, str) or each not in known
    ]
    if not given:
        problems = [f"permissions: say which, of {said(ALL_ROLES)}"]
    if problems or given is None:
        raise InvalidInput("no role was given", problems=problems)
    return frozenset({Role.VIEW, *(known[each] for each in given)})


def scopes_named(names: object) -> frozenset[Scope]:
    """A list of names as scopes. Raises InvalidInput with each name that is none."""
    known = {str(each): each for each in Scope}
    given = names if isinstance(names, list) else None
    problems = [
        f"scope: there is no '{printable(str(each), 40)}' (there are: {', '.join(known)})"
        for each in given or ()
        if not isinstance(each, str) or each not in known
    ]
    if not given:
        problems = [f"scope: must be a list, of {', '.join(known)}"]
    if problems or given is None:
        raise InvalidInput("no token was made", problems=problems)
    return frozenset(known[each] for each in given)
