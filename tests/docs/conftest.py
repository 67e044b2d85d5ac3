"""The documentation's tools, and the browser tests' way to look at a page."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT / "tools" / "docs")]
sys.path += [str(_ROOT / "tests" / "browser")]
