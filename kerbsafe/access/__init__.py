"""Who may use console and broker: accounts, tokens, logins of units."""
