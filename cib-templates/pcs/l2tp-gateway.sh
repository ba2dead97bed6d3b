#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/l2tp-gateway.crm by cib-templates/generate.
# One L2TP gateway of vpnha: `sh FILE` after replacing the @…@. For a further
# gateway of the same cluster load it once more, with other values and a suffix.
#
#   @NODES@              the cluster's nodes: "gw1 gw2 gw3"
#   @GATEWAY@            the gateway's name in vpnha.toml
#   @SUFFIX@             nothing; for a further gateway what tells its resources apart: "-dialin2"
#   @XL2TPD_CONFIG@      its xl2tpd.conf, the same path on all nodes
#   @FENCE_AGENT@        your power fencing: fence_ipmilan, fence_virsh, …
#   @FENCE_PARAMETERS@   its parameters: ip=… username=…

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

# stonith-enabled: a node that is lost may still speak for the gateway; nobody takes over before
#   its power is off.
# stonith-action=off, not reboot: the takeover waits for the end of the fencing, off ends sooner.
# no-quorum-policy=freeze: without quorum Pacemaker leaves everything as it is instead of stopping
#   the services; votes come back, and a gateway that was silent for a moment goes on.
# fence-reaction=panic: a node that learns that it was fenced resets itself at once instead of
#   stopping its resources.
# transition-delay: a lost node's traces take Pacemaker's daemons ~220 ms to remove, because Corosync
#   takes no message while it synchronises and they try again 210 ms later. A controller that asks
#   for the scheduler meanwhile sleeps a whole second, once or twice (do_pe_invoke_callback()).
#   Measured where no standby stands in: 1.4 s from power cut to the first packet with 250 ms, 2.3 to
#   3.1 s without. 300, because
#   nodes that were slow for a moment took 290 ms (two of sixteen in the lab).
pcs -f "$cib/new" property set --force \
    stonith-enabled=true stonith-action=off concurrent-fencing=true \
    no-quorum-policy=freeze fence-reaction=panic transition-delay=300ms

# The first failure moves the gateway: recovered in place it would lose its sessions, the standbys
# hold them. The failure expires, so that the node is a candidate again without an administrator.
# Stickiness: no failback; a move is a risk, if a small one, that buys nothing. Move by `vpnha
#   switchover`: the constraint of `crm resource move` moves the role again whenever its node returns.
pcs -f "$cib/new" resource defaults update \
    migration-threshold=1 failure-timeout=60s resource-stickiness=100

# crm and XML start the device on every node, so that a node's death moves none. pcs 0.12 refuses to
# clone it, so by pcs one node starts it, and another one when that node is gone: fencing itself waits
# for neither. No recurring monitor: it would only load the nodes; watch your fencing hardware where
# you watch your hardware.
if ! pcs -f "$cib/new" stonith config fencing >/dev/null 2>&1; then
    pcs -f "$cib/new" stonith create fencing @FENCE_AGENT@ \
        pcmk_host_list="@NODES@" pcmk_host_check=static-list @FENCE_PARAMETERS@ \
        op start interval=0 timeout=60s \
        --no-default-ops
    pcs -f "$cib/new" stonith op remove fencing monitor
fi

# Monitors every 2 s: they ask vpnhad over its socket, which costs nothing. The intervals differ
# because Pacemaker tells operations apart by name and interval.
# A demote or stop that fails leaves a node that may speak: only its power switch is left.
# failure-timeout: a standby whose vpnhad was killed is a standby again soon; it serves nobody who
#   could be disturbed by a second failure.
pcs -f "$cib/new" resource create checkpoint@SUFFIX@ ocf:vpnha:checkpoint \
    gateway=@GATEWAY@ \
    op start interval=0 timeout=20s \
    op stop interval=0 timeout=20s on-fail=fence \
    op promote interval=0 timeout=20s \
    op demote interval=0 timeout=20s on-fail=fence \
    op monitor interval=2s role=Promoted timeout=20s \
    op monitor interval=3s role=Unpromoted timeout=20s \
    meta failure-timeout=15s \
    --no-default-ops

# notify=false: with notifications five agent runs would come before every promote.
pcs -f "$cib/new" resource clone checkpoint@SUFFIX@ checkpoint@SUFFIX@-clone \
    meta promotable=true promoted-max=1 promoted-node-max=1 notify=false interleave=true

# The stock daemon runs on every node, idle and behind the gate: a takeover starts nothing.
pcs -f "$cib/new" resource create xl2tpd@SUFFIX@ ocf:vpnha:xl2tpd \
    gateway=@GATEWAY@ config=@XL2TPD_CONFIG@ \
    op start interval=0 timeout=20s \
    op stop interval=0 timeout=20s on-fail=fence \
    op monitor interval=2s timeout=20s \
    --no-default-ops

pcs -f "$cib/new" resource clone xl2tpd@SUFFIX@ xl2tpd@SUFFIX@-clone \
    meta interleave=true

# A gateway whose xl2tpd has died accepts no new clients, so it moves; and it is demoted, which is
# silent, before its daemon is stopped. Neither inf nor Mandatory: added to infinity, Pacemaker's
# promotion scores are all the same, and a node with an empty replica is promoted as readily as one
# that has everything; and what must not run without xl2tpd is stopped with it, not demoted.
pcs -f "$cib/new" constraint colocation add \
    Promoted checkpoint@SUFFIX@-clone with Started xl2tpd@SUFFIX@-clone \
    10000 id=gateway-with-xl2tpd@SUFFIX@

pcs -f "$cib/new" constraint order \
    start xl2tpd@SUFFIX@-clone "then" promote checkpoint@SUFFIX@-clone \
    kind=Optional id=xl2tpd-before-gateway@SUFFIX@

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
