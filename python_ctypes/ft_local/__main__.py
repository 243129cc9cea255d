"""`python -m ft_local`: what is installed here, and what it does."""

import sys

from ._cli import main

if __name__ == "__main__":
    sys.exit(main())
