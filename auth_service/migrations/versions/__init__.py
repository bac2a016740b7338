"""One file per step of the database's history; store.PLAN names the newest."""
