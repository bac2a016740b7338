"""What people change of their accounts from the home's pages, signed in."""
