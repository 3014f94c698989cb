"""Where an attempt or a check runs: processes of this machine, and the sandbox around them."""
