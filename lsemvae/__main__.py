"""Run the command line with `python -m lsemvae`."""

import sys

from lsemvae.cli import main

sys.exit(main())
