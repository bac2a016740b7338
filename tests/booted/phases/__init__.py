"""What is done and looked at, one phase a file; `order.py` says in which order."""
