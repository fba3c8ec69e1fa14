"""The stack of a build's pod: two digests that the worker has chosen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from wherry.builds.stacks import BUILD, RUN, Stack, checked
from wherry.domain.errors import InvalidInput, NotFound, PlatformFault
from wherry.flow.ports import Say
from wherry.images.registry import Registry
from wherry.images.stored import read_image


@dataclass(frozen=True)
class GivenStack:
    """Digests of the build and the run image in our registry."""

    registry: Registry
    build: str
    run: str

    def ensure(self, say: Say) -> Stack:
        """Raises PlatformFault."""
        return self.known()

    def known(self) -> Stack:
        return self._stack

    @cached_property
    def _stack(self) -> Stack:
        refs = self.registry.reference(BUILD, self.build), self.registry.reference(RUN, self.run)
        try:
            images = read_image(self.registry, BUILD, self.build), read_image(self.registry, RUN, self.run)
            return checked(Stack(*images, *refs))
        except (NotFound, InvalidInput) as error:
            raise PlatformFault(f"the stack cannot be used: {error.message}", evidence=error.evidence) from error
