"""Lets the tests beside it import ``scenes``."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
