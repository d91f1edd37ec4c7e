"""Where everything is put together: `instar`, and `python -m instar`."""

from __future__ import annotations

import sys

from instar.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
