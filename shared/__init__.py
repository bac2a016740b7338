"""The ground floor: names, messages, topics and plumbing that two or more services use."""
