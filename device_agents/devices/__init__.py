"""The kinds of devices, one per file, pure: what each becomes when it is asked, timed or touched."""
