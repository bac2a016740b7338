"""What becomes of a command: how late it is, whether it may, what is answered. None here touches disk, wire or pin."""
