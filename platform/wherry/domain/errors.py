"""The error tree. Every class is one kind; each door maps the kinds once (API status, exit code, push message).

WherryError                  id
├── InvalidInput             invalid_params       the caller's value is outside the grammar; nothing was changed
├── NotFound                 not_found            no such thing, or not yours: the same answer for both
├── Conflict                 conflict             true in itself, but not now: taken, reserved, busy
├── RollbackRisk             rollback_risk        a release phase ran since; not without force
├── Unauthorized             unauthorized         no actor, or one we do not know
├── TooManyTries             rate_limit           logins from there have failed too often; after a wait
├── Forbidden                forbidden            the actor may not do this
├── PushRefused              push_refused         receive policy, or the tree that was pushed
├── BuildFailed              build_failed         with a BuildFailure kind
├── RolloutFailed            rollout_failed       with a RolloutFailure kind
├── Cancelled                cancelled            a newer push, or the user, stopped it
└── PlatformFault            platform_fault       ours: engine, registry, disk; worth another try
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar


class WherryError(Exception):
    """What failed (message), the evidence (lines of output), and the next command to type (hint)."""

    id: ClassVar[str] = "error"

    def __init__(self, message: str, *, evidence: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.evidence = tuple(evidence)
        self.hint = hint

    def lines(self) -> list[str]:
        """The whole error for a terminal, one element a line."""
        return [self.message, *self.evidence, *([self.hint] if self.hint else [])]


class InvalidInput(WherryError):
    """``problems`` lists every fault that was found, each with the place it stands in (a line number or a path)."""

    id = "invalid_params"

    def __init__(self, message: str, *, problems: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, evidence=problems, hint=hint)


class NotFound(WherryError):
    id = "not_found"


class Conflict(WherryError):
    id = "conflict"


class RollbackRisk(WherryError):
    id = "rollback_risk"


class Unauthorized(WherryError):
    id = "unauthorized"


class TooManyTries(WherryError):
    """`retry_after`: seconds until it is worth another try."""

    id = "rate_limit"

    def __init__(self, message: str, *, retry_after: int = 1, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class Forbidden(WherryError):
    id = "forbidden"


class PushRefused(WherryError):
    id = "push_refused"


class Cancelled(WherryError):
    id = "cancelled"


class PlatformFault(WherryError):
    id = "platform_fault"


class BuildFailure(StrEnum):
    """Why a build failed; shown to the user, stored with the Build."""

    NOTHING_DETECTED = "nothing-detected"
    BAD_SOURCE = "bad-source"
    VERSION_NOT_AVAILABLE = "version-not-available"
    DEPENDENCY_CONFLICT = "dependency-conflict"
    COMPILE_ERROR = "compile-error"
    NETWORK = "network"
    BUILDPACK_FAILED = "buildpack-failed"
    STEP_FAILED = "step-failed"
    OUT_OF_MEMORY = "out-of-memory"
    OUT_OF_TIME = "out-of-time"
    LOG_TOO_LONG = "log-too-long"
    PLATFORM = "platform"


class BuildFailed(WherryError):
    id = "build_failed"

    def __init__(self, kind: BuildFailure, message: str, *, evidence: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, evidence=evidence, hint=hint)
        self.kind = kind


class RolloutFailure(StrEnum):
    """Why a release did not come to serve; shown to the user, stored with the Release."""

    IMAGE_PULL = "image-pull"
    EXITED = "exited"
    NOT_LISTENING = "not-listening"
    NOT_HEALTHY = "not-healthy"
    OUT_OF_MEMORY = "out-of-memory"
    RELEASE_PHASE = "release-phase"
    NO_CAPACITY = "no-capacity"
    REFUSED = "refused"
    PLATFORM = "platform"


class RolloutFailed(WherryError):
    id = "rollout_failed"

    def __init__(self, kind: RolloutFailure, message: str, *, evidence: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, evidence=evidence, hint=hint)
        self.kind = kind
