"""The `kerbsafe` command."""


def main() -> None: ...
