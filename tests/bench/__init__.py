"""`make bench`: the whole demo home against floors taken in the same run. Ratios count; the machine's mood does not."""
