"""The database that people ask: models, queries, migrations, by noun. It decides nothing; no call waits for it."""
