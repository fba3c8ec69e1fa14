# What the pusher reads: steps, details under them, errors.

step() { printf -- '-----> %s\n' "$*"; }

detail() { printf '       %s\n' "$*"; }

# error CAUSE: and what follows with error_line; a blank error_line stands before the next command to type.
error_line() { printf ' !     %s\n' "$*"; }

# Exit codes of sysexits.h, which the platform tells apart.
UV_VERSION=0.13.8

BAD_SOURCE=65
NOT_AVAILABLE=69
