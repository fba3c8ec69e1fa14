"""Programs that begin when somebody listens, in the shells that images have."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from wherry.runtimes.cluster import gates

SHELLS = [each for each in ("/bin/sh", "/bin/bash") if shutil.which(each)]
HOSTILE = {
    "QUOTES": "'\"`$(id)` ${HOME} \\0101 \\n",
    "LINES": "\n\nA=1\nmark\n\n",
    "KEYS": "\x03\x04\x15\x1b[A\x7f",
    "LONG": "ü€😀" * 2000,
    "EMPTY": "",
}
SHOW = "import json, os, sys; print(json.dumps({n: os.environ[n] for n in sys.argv[1:]})); print(sys.stdin.read())"


@pytest.mark.parametrize("shell", SHELLS)
def test_t21_an_environment_comes_through_byte_by_byte_and_the_rest_of_the_input_stays(shell: str) -> None:
    argv = gates.taking("mark", [sys.executable, "-c", SHOW, *HOSTILE])
    sent = gates.environment("mark", HOSTILE) + b"the rest"
    assert max(map(len, sent.split(b"\n"))) < 4096
    done = subprocess.run([shell, *argv[1:]], input=sent, capture_output=True, check=True)
    pieces = [(1, done.stdout[at : at + 3]) for at in range(0, len(done.stdout), 3)]
    output = iter(pieces)
    behind = [*gates.pass_mark(gates.began("mark", takes=True), output), *output]
    first, rest = b"".join(data for _, data in behind).split(b"\n", 1)
    assert json.loads(first) == HOSTILE
    assert rest == b"the rest\n"


def test_a_program_waits_for_one_line_and_what_stands_before_it_is_dropped() -> None:
    argv = gates.waiting("mark", ["/bin/sh", "-c", 'cat; echo "$0 $1" >&2; exit 3', "zero", "one two"])
    done = subprocess.run(argv, input=b"\nall of\nthis", capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (3, b"zero one two\n")
    output = iter([(1, b"\r\nma"), (2, b"?"), (1, done.stdout[2:]), (2, b"!")])
    assert [*gates.pass_mark(b"mark", output), *output] == [(2, b"?"), (1, b"all of\nthis"), (2, b"!")]
    assert gates.pass_mark(b"mark", iter([(1, b"no shell")])) == [(1, b"no shell")]
