"""Scaling by load is kept with the formation; until now each release took it from its own app.json."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
additive = True

NEWEST = sa.text(
    "SELECT app_id, app_json FROM releases WHERE app_json IS NOT NULL AND number = "
    "(SELECT max(number) FROM releases AS newest WHERE newest.app_id = releases.app_id AND newest.status != 'failed')"
)
KEEP = sa.text("UPDATE formation SET autoscale = :autoscale WHERE app_id = :app_id AND type = :type")


def upgrade() -> None:
    op.add_column("formation", sa.Column("autoscale", sa.Text))
    connection = op.get_bind()
    for app_id, app_json in connection.execute(NEWEST).all():
        for type, wish in json.loads(app_json).get("formation", {}).items():
            if load := wish.get("autoscaling"):
                kept = json.dumps(_bounds(load), separators=(",", ":"))
                connection.execute(KEEP, {"autoscale": kept, "app_id": app_id, "type": type})


def downgrade() -> None:
    op.drop_column("formation", "autoscale")


def _bounds(load: dict) -> dict:
    counts = {each["type"]: each["metadata"]["value"] for each in load["triggers"]}
    shares = {kind: counts.get(kind, 0) for kind in ("cpu", "memory", "requests")}
    return {"least": load["min_quantity"], "most": load["max_quantity"], **shares}
