"""kitty-run: drives spec-kitty missions with coding agents, as a YAML profile says."""

__version__ = "0.1.0"
