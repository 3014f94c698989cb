"""The only door to spec-kitty: dialects, envelopes, and how a call is started."""
