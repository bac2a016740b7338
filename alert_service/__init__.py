"""Records audit events, receipts them, and writes to the master user."""
