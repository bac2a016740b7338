"""Who may sign in: accounts, what a password must be like, and how one is kept."""
