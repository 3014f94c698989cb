"""A small real mission with scripted agents, from nothing to merged code."""
