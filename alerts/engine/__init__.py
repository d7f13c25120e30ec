"""The engine: moves every vehicle that reported one step, by the table of rules."""
