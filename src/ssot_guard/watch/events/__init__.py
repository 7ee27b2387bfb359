"""The events that every run must send, in order."""
