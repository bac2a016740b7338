"""What the home looks like, pure: folded from what registry and rooms say, and who may see which part of it."""
