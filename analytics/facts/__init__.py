"""What a month amounts to: facts that are restated, never changed. What is published reads these."""
