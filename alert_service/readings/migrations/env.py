"""What alembic runs: the connection is that of shared.keeping.database, in its transaction, or from --autogenerate."""

from alembic import context

from alert_service.readings.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite")
context.run_migrations()
