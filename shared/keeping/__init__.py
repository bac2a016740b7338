"""What lies on disk: databases opened and stepped forward, and files that a card or a hand has spoilt."""
