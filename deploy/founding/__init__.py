"""Setting up a real home: what the owner is asked, how each answer is checked, and the home made of them."""
