"""``python -m ssot_guard`` is the command ``ssot-guard``."""

import sys

from ssot_guard.cli import main

if __name__ == "__main__":
    sys.exit(main())
