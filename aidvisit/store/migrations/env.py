"""Alembic's environment: always on the connection, and in the transaction, of aidvisit.store.migrations."""

from alembic import context

from aidvisit.store.inbox import metadata as inbox_metadata
from aidvisit.store.tables import metadata
from aidvisit.store.tokens import metadata as token_metadata
from aidvisit.store.uploads import metadata as upload_metadata
from sync.tables import metadata as log_metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[metadata, log_metadata, upload_metadata, token_metadata, inbox_metadata],
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
