"""HTTPS, in and out: who comes in and how long it may take, what is answered, and how services call one another."""
