"""The last container: drives the one beside it through the build, and puts the image into the registry."""

from __future__ import annotations

from dataclasses import replace

from wherry.builds.builder import LifecycleBuilder
from wherry.builds.builder_image import BuilderRun
from wherry.builds.given_stack import GivenStack
from wherry.builds.pod_input import BuilderBase
from wherry.builds.pod_words import Speaker
from wherry.builds.pod_yard import builder_ground
from wherry.domain.errors import PlatformFault
from wherry.domain.image import Image
from wherry.domain.text import printable
from wherry.flow.ports import Cancel
from wherry.flow.talk import building
from wherry.pod.bench import CHANNEL, HOME, SOURCE, Bench
from wherry.runtimes.agent.sibling import SiblingSandbox
from wherry.sources.fetch import Trees


def export(bench: Bench, speaker: Speaker, cancel: Cancel) -> None:
    """Raises BuildFailed, Cancelled, PlatformFault."""
    try:
        image = _built(bench, speaker, cancel)
    finally:
        if not cancel.cancelled:
            bench.cache.keep(bench.owner, speaker.say)
    speaker.image(image)


def _built(bench: Bench, speaker: Speaker, cancel: Cancel) -> Image:
    request, base, sandbox = bench.told.request, bench.told.base, SiblingSandbox(CHANNEL)
    # What the worker tries again begins here for the first time.
    here = replace(request, attempt=1, source=replace(request.source, archive=str(SOURCE)))
    if not isinstance(base, BuilderBase):
        stack = GivenStack(bench.registry, base.build, base.run)
        builder = LifecycleBuilder(sandbox, stack, bench.registry, bench.settings, trees=Trees(), yards=bench.yard)
        return builder.build(here, speaker.say, cancel)
    building(speaker.say, request)
    run, place = BuilderRun(sandbox, bench.registry, bench.settings), builder_ground(HOME, request.app_id)
    try:
        return run.build(base.builder, base.env, here, place, speaker.say, cancel)
    except OSError as error:
        raise PlatformFault(f"the build's folder cannot be used: {printable(str(error), 300)}") from error
