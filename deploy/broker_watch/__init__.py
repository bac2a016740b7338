"""The broker's unit runs this: Mosquitto as its child, asked again and again for a sign of life."""
