"""The doctor: looks at everything that a home needs, one part a file, and says what to do."""
