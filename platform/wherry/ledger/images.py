"""Images in the columns of builds and releases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from wherry.domain import app_json
from wherry.domain.image import Image, Start


def image_columns(image: Image | None) -> dict[str, object]:
    return {
        "image_repository": image.repository if image else None,
        "image_digest": image.digest if image else None,
        "image_processes": dict(image.processes) if image else None,
        "app_json": app_json.write(image.wishes) if image else None,
        "image_starts": {name: each.written() for name, each in image.starts.items()}
        if image and image.starts
        else None,
    }


def image_of(row: Row[Any]) -> Image:
    starts = {
        name: Start(tuple(each["argv"]), each["user"], each["digest"])
        for name, each in (row.image_starts or {}).items()
    }
    return Image(row.image_repository, row.image_digest, row.image_processes, starts, app_json.read(row.app_json))
