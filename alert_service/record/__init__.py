"""The record: the chain in the database, checked, kept, mended, removed and erased."""
