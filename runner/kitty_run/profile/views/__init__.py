"""A profile for people: explained, shown, begun."""
