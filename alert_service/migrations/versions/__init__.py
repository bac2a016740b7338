"""One file per step of the database's history; store.HEAD names the newest."""
