"""What Alembic runs. The platform migrates by itself when it starts (wherry.ledger.schema), in a transaction that it
hands over here.
"""

from alembic import context
from wherry.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
