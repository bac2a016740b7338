"""The record checked from outside the alert service, and against its letters."""
