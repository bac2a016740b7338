"""The house changes hands: everything of the people in it goes from this machine, and each master user is told."""
