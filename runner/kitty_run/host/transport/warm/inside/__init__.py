"""What runs in the host's interpreter: stand-alone scripts, standard library only, Python 3.9 and later."""
