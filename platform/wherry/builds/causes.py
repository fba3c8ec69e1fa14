"""What went wrong, told from what a buildpack printed: whoever wrote it, the tools that it runs are the same few. Pure.

A class is given only for words that tools use for nothing else; what matches none stays "the buildpack failed".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from wherry.domain.errors import BuildFailure

_SHOWN = 12

# The order counts: a compiler that could not fetch a module speaks of the network and of code that will not compile.
_CAUSES: tuple[tuple[BuildFailure, str, str], ...] = (
    (
        BuildFailure.OUT_OF_MEMORY,
        r"JavaScript heap out of memory|java\.lang\.OutOfMemoryError|fatal error: out of memory|Cannot allocate memory"
        r"|virtual memory exhausted|\(signal: 9, SIGKILL",
        "Builds may use the memory that the operator allows (build_memory_mb).",
    ),
    (
        BuildFailure.NETWORK,
        r"certificate verify failed|SSL certificate problem|x509: certificate signed by unknown authority"
        r"|PKIX path building failed|self.signed certificate in certificate chain",
        "Who signed its certificate is not trusted by builds. For the operator: docs/operations.md, Certificates and proxies",
    ),
    (
        BuildFailure.NETWORK,
        r"Could not resolve host|Temporary failure (in name resolution|resolving)|Name or service not known"
        r"|getaddrinfo E(AI_AGAIN|NOTFOUND)|\bE(CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH)\b"
        r"|Connection (refused|timed out|reset by peer)|Network is unreachable|no such host|dial tcp .*: (i/o timeout|connect)"
        r"|dns error: failed to lookup",
        "Is what it names reachable from builds? Pushing again is worth a try.",
    ),
    (
        BuildFailure.DEPENDENCY_CONFLICT,
        r"ResolutionImpossible|No solution found when resolving|conflicting dependencies|\bERESOLVE\b"
        r"|version solving failed|SolverProblemError|Could not find compatible versions|dependency (versions )?conflict"
        r"|failed to select a version for|Your requirements could not be resolved|ERR_PNPM_(PEER_DEP_ISSUES|OUTDATED_LOCKFILE)"
        r"|npm (ERR!|error) `?npm ci`? can only install packages when|lockfile would have been modified"
        r"|Could not resolve dependencies for project|the lock file .* needs to be updated",
        "Does it install on your machine, from a clean checkout?",
    ),
    (
        BuildFailure.COMPILE_ERROR,
        r"COMPILATION ERROR|^error(\[E[0-9]+\])?: |\berror TS[0-9]+:|^(SyntaxError|IndentationError|TabError): "
        r"|: (fatal )?error: |: error: cannot find symbol|\.java:\[?[0-9]+|^\S+\.go:[0-9]+:[0-9]+: "
        r"|error: could not compile|command 'gcc' failed|make(\[[0-9]+\])?: \*\*\* |PHP (Parse|Fatal) error"
        r"|syntax error, unexpected",
        "Does it build on your machine?",
    ),
)
_COMPILED = [(kind, re.compile(pattern), hint) for kind, pattern, hint in _CAUSES]


@dataclass(frozen=True, slots=True)
class Cause:
    """`evidence`: the lines that show it, and those between and after them that say more."""

    kind: BuildFailure
    evidence: tuple[str, ...]
    hint: str


def cause_of(lines: Sequence[str]) -> Cause | None:
    """`lines`: the last ones that were printed, oldest first, without blanks at their ends."""
    for kind, pattern, hint in _COMPILED:
        if hits := [number for number, line in enumerate(lines) if pattern.search(line.strip())]:
            first = hits[0]
            last = max(hits[-1], first + 3)
            return Cause(kind, tuple(lines[first : last + 1][:_SHOWN]), hint)
    return None
