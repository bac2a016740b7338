"""What guests may do, to read at a glance and to change: in words, as a week, and as a form."""
