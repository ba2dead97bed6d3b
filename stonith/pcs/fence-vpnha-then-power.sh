#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from stonith/fence-vpnha-then-power.crm by cib-templates/generate.
# fence_vpnha first, power second: load it after cib-templates/l2tp-gateway.crm, whose power device
# is the second level here. Three nodes or more, no quorum device, and no resources in the cluster
# except those of vpnha's gateways: ocf:vpnha:vip has no gate, so it is not allowed either.
#
#   @NODES@   the cluster's nodes: "gw1 gw2 gw3"
#
# Protects against: two owners of a gateway, also when the management boards are out of reach,
#   because their network, or the power of the rack, failed with the node: a majority of the nodes
#   has marked the victim's boot, the promises to it have ended, and its kernel's gate has the same
#   deadline. A victim that learns of it resets itself, and returns as a standby.
# Does not protect against: other resources on the victim (the agent refuses if there are any;
#   the addresses of ocf:vpnha:vip count), a paused machine that is thawed after its clock was
#   stopped (it may send for up to one lease), and the cases of the second level: fewer
#   than three voters that answer, a dead vpnhad where the agent runs. A victim that learns
#   nothing of the marks is silent, but not off, until it learns of them.
# Costs: 515 ms from the last answer to the victim until no promise holds, and up to 50 ms until it
#   is requested again, independent of the hardware: nothing for a dead node, because the promises to it end
#   before its death is noticed. Then the costs of power, if that fails (in 5 s at most). The check
#   for other resources is a parallel run of cibadmin, which takes longer while a ring is formed
#   (1.2 s were seen in the lab, on nodes with one busy core). In the lab, promoted nodes that
#   lived and were fenced (3 runs, not the DC): the client received nothing for 1 440 to 1 620 ms in
#   all; 2 100 ms when the node's cluster links were cut first (1 run). After a power cut:
#   docs/explain/performance.md, takeovers.

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

pcs -f "$cib/new" stonith create fencing-vpnha fence_vpnha \
    pcmk_host_list="@NODES@" pcmk_host_check=static-list pcmk_reboot_action=off \
    timeout=5 \
    op start interval=0 timeout=60s \
    --no-default-ops
pcs -f "$cib/new" stonith op remove fencing-vpnha monitor

pcs -f "$cib/new" stonith level add 1 'regexp%.*' fencing-vpnha
pcs -f "$cib/new" stonith level add 2 'regexp%.*' fencing

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
