"""A module that ends the process that imports it, as scripts without a main guard do."""

import sys

sys.exit(3)
