"""The home's authorities are followed by others: rooms first, and nobody is cut off unawares."""
