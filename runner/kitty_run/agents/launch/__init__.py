"""From a description of an attempt to its argv, environment and prompt."""
