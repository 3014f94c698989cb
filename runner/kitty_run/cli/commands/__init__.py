"""One module per command: its arguments, and the exit status that it comes to."""
