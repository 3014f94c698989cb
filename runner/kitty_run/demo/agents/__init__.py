"""Scripted agents: real command-line programs that play an implementer and a reviewer for the demo."""
