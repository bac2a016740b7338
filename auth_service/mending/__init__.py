"""Accounts whose file is torn: the service waits for another one, `homesystem repair` mends what there is."""
