"""What the parts of a home say to one another: its words, its messages and their topics, and what can go wrong."""
