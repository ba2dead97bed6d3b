#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from stonith/fence-vpnha-then-power.crm by cib-templates/generate.
# fence_vpnha first, power second: load it after cib-templates/l2tp-gateway.crm, whose power device
# is the second level here. Three nodes or more, no quorum device, and no resources in the cluster
# but those of vpnha's gateways: ocf:vpnha:vip has no gate, and is one too many.
#
#   @NODES@   the cluster's nodes: "gw1 gw2 gw3"
#
# Protects against: two owners of a gateway, also when the management boards are out of reach,
#   because their network, or the power of the rack, failed with the node: a majority of the nodes
#   has marked the victim's boot, its promises have run out, and its kernel's gate knows the same
#   deadline. A victim that learns of it resets itself, and comes back as a standby.
# Does not protect against: what else runs on the victim (the agent refuses when there is any;
#   the addresses of ocf:vpnha:vip are such), a paused machine that is thawed with its clock
#   standing still (up to one lease it may still speak), and what the second level is for: fewer
#   than three voters that answer, a vpnhad that is dead where the agent runs. A victim that learns
#   nothing is silent, but not off, until it does.
# Costs: 515 ms from the last answer to the victim until no promise holds, and up to 50 ms until it
#   is asked for again, whatever the hardware: nothing for a node that died, whose promises are over
#   before its death is noticed. Then what power costs, if that fails (in 5 s at most). The look
#   for other resources is one run of cibadmin beside it, which takes longer while the ring forms
#   anew: 1.2 s were seen in the lab, on nodes with one busy core. In the lab, promoted nodes that
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
