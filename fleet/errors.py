"""The one family of errors that are meant for people."""


class KerbsafeError(Exception):
    """What went wrong, which thing it was, and the remedy, in one line.

    The command line prints it and exits with code 2; a service logs it and ends.
    Each package raises its own subclasses.
    """
