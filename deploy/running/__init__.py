"""How a home is run on this machine, by systemd or in a terminal, and the demo."""
