"""Programs that begin only when somebody listens. Pure.

Nothing tells a pod that its client has attached, and what it wrote before that is lost to them. So a shell waits for a
line of input first, and answers with a mark: what comes behind the mark is the program's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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


def pass_mark(began: bytes, pieces: Iterator[tuple[int, bytes]], out: int = 1) -> list[tuple[int, bytes]]:
    """Reads on until the line on channel `out` that ends with `began`; what came behind it already, and on other channels,
    which may be faster. All that there was, when it ends before that: then it was no gate that spoke.
    """
    held, others = b"", []
    for channel, data in pieces:
        if channel != out:
            others.append((channel, data))
            continue
        held += data
        _, found, rest = held.partition(began)
        if found and b"\n" in rest:
            first = rest.partition(b"\n")[2]
            return [*others, (out, first)] if first else others
    return [*others, (out, held)] if held else others


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
