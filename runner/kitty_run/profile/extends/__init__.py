"""The files that a profile is made of, and how they are merged."""
