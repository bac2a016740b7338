"""`make house`: the guide docs/setup.md, done for real on booted Debian systems, and a life in that home."""
