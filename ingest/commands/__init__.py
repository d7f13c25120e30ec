"""Commands on their way from the database to the broker, and prompts that rules give to drivers.

`carrier` publishes what is queued until somebody has taken it, `prompting` decides which alerts are told to
the driver, and `prompt_file` reads what is said. What units and gateways answer comes back by the hot path.
"""
