"""What survives a kill: the journal, the state folded from it, and the runner's own files."""
