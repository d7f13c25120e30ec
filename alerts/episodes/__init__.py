"""What the engine says, as rows: episodes, right turns, and which stored one is which."""
