"""What is wrong with a profile: schema, cross-checks, policy."""
