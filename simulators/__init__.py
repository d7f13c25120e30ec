"""Truth first, observation second, corruption third."""
