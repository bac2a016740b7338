"""How sensors are read: one adapter per source, threads that call them, and what stands in for them in simulations."""
