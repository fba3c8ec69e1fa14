"""What a release is made of: the bills of its image's parts as one document."""

from __future__ import annotations

from dataclasses import dataclass

from wherry import __version__
from wherry.domain.bill import Subject, whole
from wherry.domain.errors import NotFound
from wherry.domain.model import App, Release
from wherry.flow.image_ports import Bills


@dataclass(frozen=True)
class BillOfRelease:
    bills: Bills

    def run(self, app: App, release: Release) -> dict[str, object]:
        """A CycloneDX document. Raises NotFound for an image that says nothing of this kind, PlatformFault."""
        try:
            bill = self.bills.of(release.image)
        except NotFound as error:
            raise NotFound(f"{app.name} {release.name}: {error.message}", hint=error.hint) from error
        facts = {"image": release.image.digest, **({"commit": release.commit} if release.commit else {})}
        return whole(Subject(app.name, release.name, facts), bill, __version__)
