"""The history: what of the record may be seen, and is wanted, page by page."""
