"""What is told to people, pure: about which events, to whom, when, and in which words."""
