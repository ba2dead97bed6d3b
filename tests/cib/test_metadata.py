# SPDX-License-Identifier: GPL-2.0-or-later
"""pcs and crmsh show what the agents report of themselves, without a warning."""
import os
import re
import subprocess
from pathlib import Path

import conftest
import pcs_scripts
import pytest


@pytest.mark.parametrize("agent", conftest.AGENTS)
def test_pcs_describes_an_agent(agent: str):
    code, output = pcs_scripts.call("resource", "describe", f"ocf:vpnha:{agent}")
    assert code == 0 and "Warning" not in output and "Error" not in output, output
    assert output.startswith(f"ocf:vpnha:{agent} - ")
    assert "Default operations:" in output


def test_pcs_describes_the_fence_agent():
    code, output = pcs_scripts.call("stonith", "describe", "fence_vpnha")
    assert code == 0 and "Warning" not in output and "Error" not in output, output
    assert output.startswith("fence_vpnha - ") and "mode" in output


@pytest.mark.parametrize("agent", conftest.AGENTS)
def test_crmsh_describes_an_agent(agent: str, agents: Path, tmp_path: Path):
    done = subprocess.run(
        ["crm", "ra", "info", f"ocf:vpnha:{agent}"], capture_output=True, text=True, check=False,
        env={**os.environ, "OCF_ROOT": str(agents), "HOME": str(tmp_path),
             "PATH": f"{agents}:/usr/sbin:/usr/bin:/sbin:/bin"})
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert re.search(rf"\bocf:vpnha:{agent}\b", done.stdout.splitlines()[0])
    assert "Operations' defaults" in done.stdout
