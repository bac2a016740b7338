"""The hub's signer: alone with the authorities' keys, it signs certificates and sets rights at the broker, on order."""
