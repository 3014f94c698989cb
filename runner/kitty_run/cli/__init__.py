"""One thin file per command: arguments in, exit status out; no decisions."""
