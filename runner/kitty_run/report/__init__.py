"""What people look at, all of it made from journal events."""
