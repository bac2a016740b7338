"""The hub gets another name, and everybody follows."""
