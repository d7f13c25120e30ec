"""What rules fold with: believed positions, motion, rounds, the memory of many vehicles."""
