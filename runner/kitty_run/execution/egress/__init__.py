"""The way out of a sandbox whose policy lists hosts."""
