"""The command line, the demo, the doctor: the only room that knows all the others."""
