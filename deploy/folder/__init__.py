"""A home's folder: where everything lies in it, and how it is made whole and kept to one change at a time."""
