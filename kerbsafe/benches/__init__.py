"""One module a bench: `add_parser(benches)` describes it, `run(args)` returns its figures as a mapping.

`kerbsafe bench` finds the modules of this folder by itself. What they share is in `kerbsafe.bench`.
"""
