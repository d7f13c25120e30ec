"""The sample: a simulated city, from its true history through ledger and facts to signed reports."""
