"""What runs within a guest."""
