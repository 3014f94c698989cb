"""What a host wants of git beyond a clean checkout (data of its dialect)."""
