"""Entrance of both programs: reads what the pod is told, runs one of them, says how it ended."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from wherry.builds.pod_input import INPUT, PodInput
from wherry.builds.pod_words import GONE, Speaker
from wherry.domain.errors import WherryError
from wherry.flow.pod_ports import INPUTS
from wherry.flow.ports import Cancel
from wherry.pod.bench import Bench
from wherry.pod.export import export
from wherry.pod.fetch import fetch
from wherry.runtimes.agent.sibling import Gone

PROGRAMS: dict[str, Callable[[Bench, Speaker, Cancel], None]] = {"fetch": fetch, "export": export}


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] not in PROGRAMS:
        print(f"usage: python -m wherry.pod {'|'.join(PROGRAMS)}", file=sys.stderr)
        return 2
    os.umask(0o022)
    cancel = Cancel()
    signal.signal(signal.SIGTERM, lambda *_: cancel.cancel())
    speaker = Speaker(sys.argv[1], lambda line: print(line, flush=True))
    try:
        bench = Bench.of(PodInput.load(Path(INPUTS, INPUT).read_bytes()))
        PROGRAMS[sys.argv[1]](bench, speaker, cancel)
    except Gone as error:
        speaker.failed(error, GONE)
        return 1
    except WherryError as error:
        speaker.failed(error)
        return 1
    return 0
