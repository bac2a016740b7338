"""The room's own file, changed from a page of the hub: checked first, tried, put back where the room fails by it."""
