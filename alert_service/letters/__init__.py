"""Letters: begun by rows of the record, released by the rules, written, and carried until they are delivered."""
