"""What judgement depends on beside the fixes: rulebooks, fences and registry, as in force at a time."""
