"""The sample: the reports of a simulated city, from its true history through ledger and facts to signed files."""
