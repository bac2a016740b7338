"""How a service lives: its configuration, its logs, its signals, and when it tries again."""
