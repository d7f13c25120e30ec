"""What every command stands on: the database, files, arguments, long-lived processes."""
