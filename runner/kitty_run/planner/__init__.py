"""What a run would do now, without doing it."""
