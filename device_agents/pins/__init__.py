"""What reaches a room's wires: the pins of boards, those that are simulated, and what a board's header carries."""
