"""Whom a home believes: certificates in use, renewed and taken back, and the hub's signer."""
