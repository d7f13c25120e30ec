"""The work of `kerbsafe command`: orders to units, prompts to drivers."""
