"""`homesystem room join`: a machine becomes a room by the line that the hub printed, with a key of its own."""
