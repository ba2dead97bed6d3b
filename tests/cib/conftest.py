# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the lab's packages importable, which render crm texts, and the built agents known to pcs
and crmsh. No test here needs a cluster, or agents that are installed."""
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = Path(os.environ.get("VPNHA_BUILD", ROOT / "build" / "release"))
AGENTS = ("announce", "checkpoint", "pppd", "pptpd", "probe", "strongswan", "vip", "xl2tpd")
# Pacemaker looks for agents where it was built to; the metadata of these come from the build.
CRM_RESOURCE = """#!/bin/sh
case "$2" in
    ocf:vpnha:*) exec "{directory}/resource.d/vpnha/${{2##*:}}" meta-data ;;
    stonith:fence_vpnha)
        # Pacemaker gives each fence agent these two.
        "{built}/stonith/fence_vpnha" -o metadata |
            sed 's|</actions>|<action name="start"/><action name="stop"/></actions>|'
        exit ;;
esac
exec /usr/sbin/crm_resource "$@"
"""
sys.path.insert(0, str(ROOT / "lab"))


@pytest.fixture(scope="session", autouse=True)
def agents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OCF_ROOT with the built agents."""
    from pcs import settings
    from pcs.lib import sbd
    directory = tmp_path_factory.mktemp("ocf")
    provider = directory / "resource.d" / "vpnha"
    provider.mkdir(parents=True)
    for name in AGENTS:
        (provider / name).symlink_to(BUILT / "agents" / "ocf-agents")
    program = directory / "crm_resource"
    program.write_text(CRM_RESOURCE.format(directory=directory, built=BUILT), encoding="utf-8")
    program.chmod(0o755)
    # Both names: of pcs 0.11 and of 0.12.
    settings.crm_resource_binary = settings.crm_resource_exec = str(program)
    # pcs takes sbd's time-out where sbd is enabled, and asks its configuration.
    watchdog = directory / "sbd"
    watchdog.write_text("SBD_WATCHDOG_TIMEOUT=5\n", encoding="utf-8")
    settings.sbd_config = str(watchdog)
    sbd.is_sbd_enabled = lambda _: True
    return directory
