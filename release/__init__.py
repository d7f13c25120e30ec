"""Making releases: `make dist` and `make bundle`. Not part of what is installed."""
