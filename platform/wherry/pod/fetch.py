"""The first container: lays the ground that the others have mounted, and brings the source and the app's cache."""

from __future__ import annotations

from pathlib import Path

from wherry.builds.builder_image import fetch_run_image
from wherry.builds.pod_input import BuilderBase
from wherry.builds.pod_words import Speaker
from wherry.builds.pod_yard import builder_ground
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
        channel.lay(CHANNEL)
        _fetch_source(bench)
        bench.cache.fetch(bench.owner, speaker.say)
        _lay(bench, speaker)
    except OSError as error:
        raise PlatformFault(f"the build's volume cannot be used: {printable(str(error), 300)}") from error
    speaker.done()


def _lay(bench: Bench, speaker: Speaker) -> None:
    base = bench.told.base
    if not isinstance(base, BuilderBase):
        bench.yard.lay(bench.bundle)
        return
    place = builder_ground(HOME, bench.told.request.app_id)
    place.lay(bench.bundle)
    try:
        fetch_run_image(base.builder, bench.registry, place.run, speaker.say)
    except NotFound as error:
        raise PlatformFault(f"the builder's run image cannot be had: {error.message}") from error


def _fetch_source(bench: Bench) -> None:
    repository, _, digest = bench.told.request.source.archive.partition("@")
    try:
        blob: Path = bench.registry.fetch_blob(repository, digest, SOURCE.parent)
    except NotFound as error:
        raise PlatformFault(f"the source is not in the registry: {error.message}") from error
    blob.rename(SOURCE)
