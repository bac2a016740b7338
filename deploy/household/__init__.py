"""What the household's people may do, changed at the hub: users, their codes, the lockdown."""
