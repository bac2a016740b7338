"""What `homesystem` does at the hub, in the service's own database: no service need run."""
