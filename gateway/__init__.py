"""The web gateway: HTTPS pages and API in front, commands and states over the broker behind."""
