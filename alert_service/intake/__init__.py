"""Intake: what arrives at the broker is read, put in turn, recorded and receipted; what is missing is asked for."""
