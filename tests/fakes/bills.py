"""Bills without a registry: `bills` by digest; any other image has an empty one, but those of `without` have none."""

from __future__ import annotations

from wherry.domain.bill import Bill
from wherry.domain.errors import NotFound
from wherry.domain.image import Image


class InMemoryBills:
    def __init__(self) -> None:
        self.bills: dict[str, Bill] = {}
        self.without: set[str] = set()

    def of(self, image: Image) -> Bill:
        if image.digest in self.without:
            raise NotFound("its image has no bill of materials")
        return self.bills.get(image.digest, Bill())
