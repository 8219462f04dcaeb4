"""What people use in a browser: the API under /api/v1, the live websocket, and a page. It never speaks to Asterisk."""
