"""Right turns, from the path that was driven."""
