"""Text from agents, hosts and repositories on its way to people: cleaned here, and nowhere else."""
