"""The home in containers: one image, in which each container keeps one part of the home as systemd would keep it."""
