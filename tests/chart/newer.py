"""A next version of the platform: its image with one more migration, and the chart with another version."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import shutil
import tarfile
from pathlib import Path

import requests
from alembic.script import ScriptDirectory
from wherry.ledger.schema import migrations_folder

from tests.chart.shapes import CHART
from tests.cluster.registry import ClusterRegistry

_TYPE = "application/vnd.oci.image.manifest.v1+json"
REVISION = "9001"
VERSION = "9.0.1"
# A pod of this version says its name when it migrates.
ADDS = """
import socket

import sqlalchemy as sa
from alembic import op

revision, down_revision, additive = "{revision}", "{before}", True


def upgrade():
    op.add_column("apps", sa.Column("later", sa.Text, nullable=False, server_default="yes"))
    table = op.create_table("migrated", sa.Column("pod", sa.Text, nullable=False))
    op.bulk_insert(table, [{{"pod": socket.gethostname()}}])
"""
FAILS = """
from alembic import op

revision, down_revision = "{revision}", "{before}"


def upgrade():
    op.execute("CREATE TABLE migrated AS SELECT 1")
    op.execute("SELECT of_a_table_that_is_not_there FROM nowhere")
"""


def image_with(migration: str, reference: str, registry: ClusterRegistry) -> str:
    """The image `reference` with this migration after its newest; its own reference, by digest."""
    before = ScriptDirectory(str(migrations_folder())).get_current_head()
    source = migration.format(revision=REVISION, before=before).encode()
    layer = _layer(f"workspace/migrations/versions/{REVISION}_newer.py", source)
    name, _, digest = reference.partition("/")[2].partition("@")
    with requests.Session() as session:
        session.auth = registry.login
        base = f"http://{registry.address}/v2/{name}"
        found = session.get(f"{base}/manifests/{digest}", headers={"Accept": _TYPE}, timeout=30)
        found.raise_for_status()
        manifest = found.json()
        config = session.get(f"{base}/blobs/{manifest['config']['digest']}", timeout=30).json()
        config["rootfs"]["diff_ids"].append(_digest(layer))
        config.get("history", []).append({"created_by": "a next version"})
        packed, told = gzip.compress(layer, mtime=0), json.dumps(config).encode()
        manifest["config"] |= {"digest": _digest(told), "size": len(told)}
        last = manifest["layers"][-1]
        manifest["layers"].append({"mediaType": last["mediaType"], "digest": _digest(packed), "size": len(packed)})
        for blob in (packed, told):
            place = session.post(f"{base}/blobs/uploads/", timeout=30).headers["Location"]
            session.put(place, params={"digest": _digest(blob)}, data=blob, timeout=60).raise_for_status()
        content = json.dumps(manifest).encode()
        headers = {"Content-Type": _TYPE}
        made = session.put(f"{base}/manifests/{_digest(content)}", data=content, headers=headers, timeout=30)
        made.raise_for_status()
    return f"{reference.partition('@')[0]}@{_digest(content)}"


def chart(folder: Path) -> Path:
    """A copy of the chart whose version is the next one's."""
    made = folder / "wherry"
    shutil.copytree(CHART, made)
    file = made / "Chart.yaml"
    file.write_text(re.sub(r"(?m)^(version|appVersion): .*$", rf'\1: "{VERSION}"', file.read_text()))
    return made


def _layer(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.mode, entry.size = 0o644, len(content)
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
