"""One attempt of one work package: which agent, how it runs, what follows its end."""
