"""One module a subcommand: `add_parser(commands)` describes it, `run(args)` does it.

The command line finds the modules of this folder by itself; `fix_mode` becomes `fix-mode`.
"""
