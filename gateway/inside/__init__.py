"""The services behind us: what the gateway asks of them, and the registry that it keeps true by their word."""
