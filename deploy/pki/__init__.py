"""The home's certificates: two authorities, what they sign, and the pairs of key and certificate on disk."""
