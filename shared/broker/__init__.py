"""The broker: how every part connects to it, and the connection of a service."""
