"""Where right turns are dangerous: turns by place, and what can be said of each. docs/places.md."""
