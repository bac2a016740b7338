"""Strong second factors: passkeys, what an authenticator app shows, and recovery codes for when these are lost."""
