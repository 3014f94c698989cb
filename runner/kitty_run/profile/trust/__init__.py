"""How far the policy that a profile declares is held by what was checked, agent by agent."""
