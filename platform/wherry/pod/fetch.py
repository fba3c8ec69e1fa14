"""The first container: lays the ground that the others have mounted, and brings the source and the app's cache."""

from __future__ import annotations

from pathlib import Path

from wherry.builds.pod_words import Speaker
from wherry.domain.errors import NotFound, PlatformFault
from wherry.domain.text import printable
from wherry.flow.ports import Cancel
from wherry.pod.bench import CHANNEL, HOME, SOURCE, Bench
from wherry.runtimes.agent import channel


def fetch(bench: Bench, speaker: Speaker, cancel: Cancel) -> None:
    """Raises PlatformFault."""
    try:
        for folder in (HOME, CHANNEL):
            folder.mkdir(parents=True)
        _lay(bench)
        _fetch_source(bench)
    except OSError as error:
        raise PlatformFault(f"the build's volume cannot be used: {printable(str(error), 300)}") from error
    bench.cache.fetch(bench.stack.known(), speaker.say)
    speaker.done()


def _lay(bench: Bench) -> None:
    bench.yard.lay(bench.bundle)
    channel.lay(CHANNEL)


def _fetch_source(bench: Bench) -> None:
    repository, _, digest = bench.told.request.source.archive.partition("@")
    try:
        blob: Path = bench.registry.fetch_blob(repository, digest, SOURCE.parent)
    except NotFound as error:
        raise PlatformFault(f"the source is not in the registry: {error.message}") from error
    blob.rename(SOURCE)
