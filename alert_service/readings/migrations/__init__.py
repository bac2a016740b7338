"""The steps of the recorder's database, run by alembic."""
