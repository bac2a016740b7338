"""The homesystem command: certificates, broker rights, the demo home."""
