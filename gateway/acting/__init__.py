"""One command from where it is permitted: its intent on disk, its flight to the room, its outcome; without any HTTP."""
