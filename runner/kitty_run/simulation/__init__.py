"""The real engine on a simulated host, with simulated agents and workspaces, in virtual time."""
