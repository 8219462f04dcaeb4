"""Runs migrations on the connection handed over, or (for `alembic revision`) on the database of the settings."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from callflow.settings import Settings
from callflow.storage.models import Base
from callflow.storage.sessions import open_database


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        # SQLite cannot alter most things: Alembic makes a new table there and copies.
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate_by_settings() -> None:
    engine = open_database(Settings().database)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    asyncio.run(migrate_by_settings())
