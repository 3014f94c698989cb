"""What git obeys in a repository, kept as it was while agents work there."""
