"""What a package manager's failure means, by what it printed. One table for all of them.

Conflicts, compilers and scripts end with exit code 1: their words are shown, and the platform reads them too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from talk import BAD_SOURCE, NETWORK, OTHER


@dataclass(frozen=True, slots=True)
class Kind:
    """`cause` is a line with {manager} and {lock}; `pattern` what is printed; `hint` the next command."""

    code: int
    cause: str
    pattern: str
    hint: str = ""


NETWORK_HINT = (
    "Is the registry reachable? Push again in a moment, or ask the operator about proxies and npm's registry."
)
_LOCK_HINT = "Run {install} on your machine, and commit {lock}."

OUT_OF_STEP = Kind(
    BAD_SOURCE,
    "{lock} does not match package.json",
    r"are in sync|code EUSAGE.*lock|ERR_PNPM_OUTDATED_LOCKFILE|lockfile needs to be updated|YN0028|lockfile had changes"
    r"|Missing: .* from lock file|ERR_PNPM_LOCKFILE_CONFIG_MISMATCH|ERR_PNPM_NO_LOCKFILE",
    _LOCK_HINT,
)
BROKEN_LOCK = Kind(
    BAD_SOURCE,
    "{lock} cannot be read",
    r"ERR_PNPM_BROKEN_LOCKFILE|ERR_PNPM_LOCKFILE_BREAKING_CHANGE|JSONParse|EJSONPARSE|SyntaxError:.*yarn\.lock"
    r"|InvalidLockfile|Failed to parse.*lock|Invalid value type .*yarn\.lock|can't be parsed: .*lock|Parse Error.*lock",
    _LOCK_HINT,
)
CONFLICT = Kind(
    OTHER,
    "the packages that the app asks for contradict each other",
    r"\bERESOLVE\b|ERR_PNPM_PEER_DEP_ISSUES|EOVERRIDE\b",
    "Bring the versions named above into line in package.json; {install} on your machine says the same.",
)
NETWORK_DOWN = Kind(
    NETWORK,
    "the npm registry cannot be reached",
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT"
    r"|UNABLE_TO_\w+|SELF_SIGNED_CERT\w*|CERT_\w+|DEPTH_ZERO_\w+|ERR_PNPM_META_FETCH_FAIL|ERR_PNPM_FETCH_5\d\d|E50[0234]"
    r"|E429|EPROTO|UND_ERR_\w+)\b|trouble with your network|ConnectionRefused|FailedToOpenSocket|ConnectionClosed"
    r"|network request .*failed|getaddrinfo|error sending request|Connection refused|dns error|RequestError|HTTPError 5"
    r"|tcp connect error|failed to lookup address|ConnectTimeout|ERR_PNPM_\w*FETCH_FAIL\w*",
    NETWORK_HINT,
)
NOT_THERE = Kind(
    BAD_SOURCE,
    "a package or a version of it is not in the registry",
    r"\b(E404|ETARGET|ENOVERSIONS|ERR_PNPM_FETCH_404|ERR_PNPM_NO_MATCHING_VERSION\w*|YN0035|YN0082)\b"
    r"|Couldn't find (package|any versions)|404 Not Found|No matching version|No version matching|No candidates found"
    r"|failed to resolve|Not Found - GET|- 404\b",
    "Correct its name or version in package.json, and run {install} on your machine.",
)
DENIED = Kind(
    BAD_SOURCE,
    "the registry asks for a login",
    r"\b(E401|E403|ENEEDAUTH|ERR_PNPM_FETCH_40[13]|YN0041)\b|- 40[13]\b|401 Unauthorized|403 Forbidden",
    "Give the token as config, for example: wherry config:set NPM_TOKEN=…, and name it in .npmrc as ${{NPM_TOKEN}}.",
)
ENGINE = Kind(
    BAD_SOURCE,
    "a package does not work with this Node.js",
    r"\b(EBADENGINE|ERR_PNPM_UNSUPPORTED_ENGINE|EBADDEVENGINES)\b.*|The engine \"\w+\" is incompatible",
    "Ask for another Node.js in engines.node of package.json, or for another version of the package.",
)
PLATFORM = Kind(
    BAD_SOURCE,
    "a package is not for this kind of machine",
    r"\b(EBADPLATFORM|ERR_PNPM_UNSUPPORTED_PLATFORM)\b",
    "Move it to optionalDependencies in package.json, and run {install}.",
)
INTEGRITY = Kind(
    BAD_SOURCE,
    "a package is not the one that {lock} names",
    r"\b(EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY|YN0018|IntegrityCheckFailed)\b|Integrity check failed",
    _LOCK_HINT,
)
NATIVE = Kind(
    OTHER,
    "a package with native code could not be compiled",
    r"gyp ERR!|node-gyp.*ERR|not found: make|make: \*\*\*",
    "Does it need a library? Name its Debian package in an Aptfile. Or ask for a Node.js that has it ready-made.",
)
SCRIPT = Kind(
    OTHER,
    "an install script failed",
    r"ELIFECYCLE|npm (error|ERR!) command |Lifecycle script|Command failed|YN0009|script .* exited|couldn't be built",
    "Does it install on your machine from a fresh clone? Try: {install}",
)
UNKNOWN = Kind(
    OTHER, "{manager} could not install the packages", r"", "Does it install on your machine? Try: {install}"
)

# NATIVE stands before the rest: node-gyp's own words about a download would pass for the registry's.
_ORDER = (
    *(OUT_OF_STEP, BROKEN_LOCK, CONFLICT, ENGINE, PLATFORM, INTEGRITY, NATIVE, DENIED, NOT_THERE, NETWORK_DOWN, SCRIPT),
)
_ERROR = re.compile(
    r"^(npm (error|ERR!)|error\b|ERR_|\s*ERR_|\[?ERROR|➤ YN00(01|09|16|18|2[78]|35|41|59|78|8[0-2])|gyp ERR!|\s*×|warn.*incorrect)"
    r"|\berror:|ERR_PNPM|Error:|^note: |\(lockfile: |^\s+peer |^\s*(✕|└─[┬─] ✕)"
)
_NOISE = re.compile(
    r"complete log of this run|^npm (error|ERR!)\s*$|gyp ERR! (stack|cwd|System|command|node -v|node-gyp -v)"
    r"|Visit https?://|npm (error|ERR!) (path|command|errno|syscall|type) |A complete log|code E\w+$|gyp info|npm warn"
    r"|eresolve-report|Fix the upstream dependency|this command with --force|to accept an incorrect|For a full report"
    r"|404 (Note that|tarball, folder)|404\s*$|npm_package_name|gyp ERR! (not ok|build error|configure error)|code \d+$"
)
_PREFIX = re.compile(r"^((npm (error|ERR!)|gyp ERR!|error:?)\s?)+|^➤ YN\d+: │ |^\s+(?=ERR_)")
_MOST_SHOWN = 10


def kind_of(lines: Sequence[str]) -> Kind:
    """The first kind of the table that any line shows."""
    text = "\n".join(lines)
    return next((kind for kind in _ORDER if re.search(kind.pattern, text)), UNKNOWN)


def evidence(lines: Sequence[str]) -> list[str]:
    """The lines that say what went wrong; the last ones when none does."""
    found = [line for line in lines if _ERROR.search(line) and not _NOISE.search(line)]
    chosen = found[:_MOST_SHOWN] or [line for line in lines if line.strip()][-5:]
    shown = [_PREFIX.sub("", line).rstrip()[:300] for line in chosen]
    return list(dict.fromkeys(line for line in shown if line.strip()))
