"""The warm host: one long-lived process of the host's own, in which each call is a forked child."""
