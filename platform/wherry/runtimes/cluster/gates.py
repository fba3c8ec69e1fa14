"""Programs that begin only when somebody listens. Pure.

Nothing tells a pod that its client has attached, and what it wrote before that is lost to them. So a shell waits for a
line of input first, and answers with a mark: what comes behind the mark is the program's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

SESSION = "WHERRY_SESSION"

_WAIT = 'IFS= read -r CNB_GO; unset CNB_GO; printf "%s\\n" "$0"; exec "$@"'

# The API has no way to give a program inside a pod an environment but its command line, which audit logs keep. So the
# variables come as lines of shell on its input, up to the mark.
_TAKE = """
CNB_ALL=
while IFS= read -r CNB_LINE && [ "$CNB_LINE" != "$0" ]; do CNB_ALL="$CNB_ALL$CNB_LINE
"; done
eval "$CNB_ALL"
unset CNB_ALL CNB_LINE
printf "%s\\n" "$0-on"
exec "$@"
"""

# The API cannot signal what runs inside a pod, so another program in there does: $1 marks the session, $2 is the signal.
# The marker is inherited, so whatever the program has started is found too.
_SIGNAL = f"""
for each in /proc/[0-9]*; do
  case "$(cat "$each/environ" 2>/dev/null)" in *"{SESSION}=$1"*) kill -s "$2" "${{each#/proc/}}" 2>/dev/null ;; esac
done
:
"""
_SIGNAL_ALL = 'kill -s "$1" -- -1 2>/dev/null; :'
_PIECE = 200  # a terminal takes lines of at most 4095 bytes, and each byte may need five


def waiting(mark: str, argv: Sequence[str]) -> list[str]:
    """The program, which begins with the first line of its input."""
    return ["/bin/sh", "-c", _WAIT, mark, *argv]


def taking(mark: str, argv: Sequence[str]) -> list[str]:
    """The program, which begins with `environment` on its input."""
    return ["/bin/sh", "-c", _TAKE, mark, *argv]


def began(mark: str, *, takes: bool) -> bytes:
    """What stands before the program's own output."""
    return (f"{mark}-on" if takes else mark).encode()


def environment(mark: str, env: Mapping[str, str]) -> bytes:
    """The input that `taking` waits for. Only printable characters, since a terminal acts on others."""
    lines = [line for name, value in env.items() for line in _assignment(name, value)]
    return "".join(f"{line}\n" for line in [*lines, mark]).encode("ascii")


def signal(mark: str, name: str) -> list[str]:
    """To the program of that mark and all that it began."""
    return ["/bin/sh", "-c", _SIGNAL, "sh", mark, name]


def signal_all(name: str) -> list[str]:
    """To all that runs in the pod."""
    return ["/bin/sh", "-c", _SIGNAL_ALL, "sh", name]


def after(began: bytes, output: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """What comes behind the line that ends with `began`."""
    held = b""
    pieces = iter(output)
    for channel, data in pieces:
        held += data
        _, found, rest = held.partition(began)
        if not found or b"\n" not in rest:
            continue
        _, _, first = rest.partition(b"\n")
        if first:
            yield channel, first
        break
    yield from pieces


def _assignment(name: str, value: str) -> Iterator[str]:
    """The x keeps what a substitution would cut from the end."""
    raw = value.encode("utf-8", "surrogateescape")
    yield f"{name}="
    for start in range(0, len(raw), _PIECE):
        piece = "".join(map(_escaped, raw[start : start + _PIECE]))
        yield f"{name}=${name}$(printf %b '{piece}x'); {name}=${{{name}%x}}"
    yield f"export {name}"


def _escaped(byte: int) -> str:
    char = chr(byte)
    return char if char.isascii() and (char.isalnum() or char in " _-+=./:,@") else f"\\0{byte:03o}"
