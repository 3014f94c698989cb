"""`python -m kitty_run` is the command `kitty-run`."""

import sys

from kitty_run.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
