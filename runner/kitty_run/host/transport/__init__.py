"""How one host call is started."""
