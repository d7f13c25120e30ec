"""Days and months: what vehicles did, closed once it is settled, and again where something came late."""
