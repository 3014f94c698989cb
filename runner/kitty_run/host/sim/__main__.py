"""See `cli`."""

import sys

from kitty_run.host.sim.cli import main

sys.exit(main())
