"""Machines that come in by a pasted line: windows opened for a name, and who gets a certificate through one."""
