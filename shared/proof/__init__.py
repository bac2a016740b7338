"""Proof on its way: audit events appended before an act, and carried until the record has each."""
