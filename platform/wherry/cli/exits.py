"""Exit codes by kind, in one table: 0 done, 1 failed, 2 wrong usage, then one for each id of the API's errors.

130 and 141 are what a shell reports for Ctrl-C and for a closed pipe.
"""

from __future__ import annotations

OK = 0
FAILURE = 1
USAGE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141

BY_ID = {
    "invalid_params": 3,
    "not_found": 4,
    "conflict": 5,
    "unauthorized": 6,
    "forbidden": 7,
    "push_refused": 8,
    "build_failed": 9,
    "rollout_failed": 10,
    "cancelled": 11,
    "platform_fault": 12,
    "unreachable": 13,
    "rollback_risk": 14,
    "rate_limit": 15,
    "other_version": 16,
}


def of(error_id: str) -> int:
    return BY_ID.get(error_id, FAILURE)
