"""Rooms and trusted clients are taken in and put out: certificate, rights and record in one go."""
