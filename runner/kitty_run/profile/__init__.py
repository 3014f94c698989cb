"""YAML text in, one frozen `Profile` out: reading, inheritance, schema, policy rules."""
