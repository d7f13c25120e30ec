"""The hot path: a batch read, screened, judged, written in one transaction, acknowledged."""
