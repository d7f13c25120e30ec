"""The console: HTTP API, live WebSocket, logins, and the web page. It reads judged rows and never judges."""
