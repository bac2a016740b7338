"""The agent on kernels: Debian's own, under emulation, with chips, buses and timers made of memory."""
