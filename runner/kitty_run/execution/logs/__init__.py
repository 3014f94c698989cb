"""What is beside an attempt's log, and how long the log may be."""
