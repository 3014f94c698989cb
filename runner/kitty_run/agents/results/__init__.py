"""From the end of an attempt to its outcome, usage and verdict."""
