# Sourced by bin/demo and bin/test: installs what is missing, quickly and with progress. Needs $root.
# On Debian (or its children) as root it installs packages; elsewhere it says what to install.

say() { printf '%s\n' "$*" >&2; }

die() {
    say " !     $1"
    shift
    for line in "$@"; do say " !     $line"; done
    exit 1
}

# have PROGRAM: also where Debian puts servers' programs that are not on every PATH.
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]; }

# need PROGRAM PACKAGE...: notes the packages of a program that is missing.
missing=
need() {
    program=$1
    shift
    have "$program" || missing="$missing $*"
}

install_missing() {
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ] || ! have apt-get; then
        die "Missing on this machine:$missing" "Install them (on Debian, as root: apt-get install$missing) and run this again."
    fi
    say "-----> Installing$missing"
    log=$(mktemp)
    if ! { DEBIAN_FRONTEND=noninteractive apt-get update -q && install_packages; } >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        die "apt-get could not install:$missing"
    fi
    rm -f "$log"
}

# Their services would start on the ports they like, or with another's data; we start what we need by ourselves.
install_packages() {
    policy=/usr/sbin/policy-rc.d
    made=
    if [ ! -e "$policy" ] && [ ! -d /run/systemd/system ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made=1
    fi
    # shellcheck disable=SC2086 # a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
    status=$?
    [ -z "$made" ] || rm -f "$policy"
    return $status
}

# An engine that answers already is used as it is, and nothing of Docker is installed.
engine_answers() {
    engine_url=${DOCKER_HOST:-unix:///var/run/docker.sock}
    case $engine_url in
        unix://*) set -- --unix-socket "${engine_url#unix://}" http://localhost/_ping ;;
        *) set -- "http://${engine_url#tcp://}/_ping" ;;
    esac
    curl --silent --fail --output /dev/null --max-time 5 "$@" 2>/dev/null
}

need_platform() {
    need python3 python3 python3-venv
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    need git git
    need curl curl
    need mmdebstrap mmdebstrap
    need docker-registry docker-registry
    if [ -z "${DOCKER_HOST:-}" ] && ! engine_answers; then
        need dockerd docker.io
        need iptables iptables
    fi
    # Where the kernel has AppArmor, the engine starts no container without the program that loads its profiles.
    if [ -z "${DOCKER_HOST:-}" ] && [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
        need apparmor_parser apparmor
    fi
    # git over SSH; left out where its package would start a server on port 22 too.
    [ -d /run/systemd/system ] || need sshd openssh-server
    [ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
}

# make_venv EXTRAS: the virtual environment in .venv, remade when pyproject.toml changed.
make_venv() {
    extras=$1
    stamp="$root/.venv/.made-for"
    wanted="$extras $(cksum <"$root/pyproject.toml") $(python3 -c 'import sys; print(sys.version_info[:2])')"
    for done_for in "$wanted" "server,dev ${wanted#"$extras "}"; do
        [ "$(cat "$stamp" 2>/dev/null)" != "$done_for" ] || return 0
    done
    say "-----> Installing Wherry's Python packages into .venv"
    [ -x "$root/.venv/bin/python" ] || python3 -m venv "$root/.venv" || die "python3 -m venv failed"
    "$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check -e "$root[$extras]" ||
        die "pip could not install Wherry's packages" "Is the package index reachable?"
    printf '%s' "$wanted" >"$stamp"
}
