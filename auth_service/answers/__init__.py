"""What the routes of the service are answered with, a subject a file: bodies read, a wing asked, its word written."""
