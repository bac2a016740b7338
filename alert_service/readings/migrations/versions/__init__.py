"""One step a file; what stands here once never changes."""
