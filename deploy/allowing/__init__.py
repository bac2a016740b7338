"""What each identity may do at the broker, and the orders that give or take it: pure."""
