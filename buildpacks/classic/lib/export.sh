# export.sh FILE: sources what a buildpack wrote for the ones after it, and prints the environment, NUL by NUL.
# shellcheck disable=SC1090 # the buildpack's own
source "$1" >/dev/null 3>&-
env -0
