"""The home as the master user wants it: its rooms and their names, what is locked out, and the lockdown."""
