"""Every decision as a pure function: retries, circuit breakers, agents, budgets."""
