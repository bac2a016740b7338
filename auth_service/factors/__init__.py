"""Strong second factors: what an authenticator app shows, and recovery codes for when it is lost."""
