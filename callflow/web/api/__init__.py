"""The API by noun: each module has its shapes, its handlers and `ROUTES`."""
