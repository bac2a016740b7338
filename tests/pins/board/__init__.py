"""A Raspberry Pi 3 under emulation with Debian's own kernel, and its pins seen through the chip's registers."""
