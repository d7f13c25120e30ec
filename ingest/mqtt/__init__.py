"""The broker: sessions, what is received and not yet acknowledged, what was lost on the way."""
