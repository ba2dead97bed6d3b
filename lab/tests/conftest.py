# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the lab's packages importable; none of these tests needs root or the nodes' kernel."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
