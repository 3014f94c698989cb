"""What git lacks before a mission begins: merge drivers, and commits that a remote has."""
