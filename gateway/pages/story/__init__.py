"""The history as a story: what was done and what happened, day by day, in lines that open."""
