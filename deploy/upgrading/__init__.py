"""Newer code on a machine that has the home: what is there is kept, the newer tried, and put back where it fails.

Of Python's own library alone, as a copy of this folder goes on with an upgrade whose code lies half installed.
"""
