"""Codes that confirm who somebody is: made, mailed, typed, and what is told of tries that failed."""
