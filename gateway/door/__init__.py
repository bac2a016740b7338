"""Who comes in: whose request it is, from which page and address, how often, and what every answer carries."""
