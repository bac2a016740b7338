"""The room as it stands: its devices, what holds them back, what they hear and measure, and the hands on their pins."""
