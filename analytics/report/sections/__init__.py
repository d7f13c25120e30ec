"""The parts of a report, one pure function each: what is known goes in, a section comes out."""
