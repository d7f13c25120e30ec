"""How good the data is: what regulators score, and what each terminal needs. docs/data-quality.md."""
