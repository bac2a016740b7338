"""The recorder: what sensors measured and how long outputs were on; a process of its own with a database of its own."""
