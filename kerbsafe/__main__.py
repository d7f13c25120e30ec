"""`python -m kerbsafe`: the command, for processes that we start ourselves."""

import sys

from kerbsafe.cli import main

sys.exit(main())
