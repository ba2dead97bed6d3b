#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/pppd-link.crm by cib-templates/generate.
# An outgoing link of L2TP or PPTP to another site, which one node has at a time, and the address through
# which this site's hosts reach it. `sh FILE` after replacing the @…@; once
# more, with a suffix, for a further link.
#
#   @NODES@              the cluster's nodes: "gw1 gw2 gw3"
#   @SUFFIX@             nothing; for a further link a suffix of its resources: "-branch"
#   @PROTOCOL@           l2tp or pptp
#   @PEER@               the other site's server: an IPv4 address or a name
#   @LOGIN@              the name with which this site logs in
#   @SECRET_FILE@        on every node, for root alone, with one line: password "…"
#   @LINK@               the link's interface, another one for each link: link0
#   @ROUTES@             the nets of the other site: "10.1.0.0/16 10.2.0.0/16"
#   @ADDRESSES@          "198.51.100.9/24": this site's hosts route these nets through it
#   @INTERFACE@          the interface that gets it, on every node
#   @FENCE_AGENT@        your power fencing: fence_ipmilan, fence_virsh, …
#   @FENCE_PARAMETERS@   its parameters: ip=… username=…

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

# The reasons for these are in l2tp-gateway.crm; both templates may be loaded into one cluster, this
# one first: a gateway needs its own transition-delay, and the last loaded value counts. A link
# and an address have no lease and no gate: only fencing prevents two nodes from having them.
pcs -f "$cib/new" property set --force \
    stonith-enabled=true stonith-action=off concurrent-fencing=true \
    no-quorum-policy=freeze fence-reaction=panic transition-delay=250ms

pcs -f "$cib/new" resource defaults update \
    migration-threshold=1 failure-timeout=60s resource-stickiness=100

# crm and XML start the device on every node, so that a node's death moves none; pcs cannot.
if ! pcs -f "$cib/new" stonith config fencing >/dev/null 2>&1; then
    pcs -f "$cib/new" stonith create fencing @FENCE_AGENT@ \
        pcmk_host_list="@NODES@" pcmk_host_check=static-list @FENCE_PARAMETERS@ \
        op start interval=0 timeout=60s \
        --no-default-ops
    pcs -f "$cib/new" stonith op remove fencing monitor
fi

pcs -f "$cib/new" resource create vip-link@SUFFIX@ ocf:vpnha:vip \
    addresses="@ADDRESSES@" interface=@INTERFACE@ \
    op start interval=0 timeout=20s \
    op stop interval=0 timeout=20s on-fail=fence \
    op monitor interval=1s timeout=20s \
    meta failure-timeout=15s \
    --no-default-ops

# The start waits until the link is up. It reserves 10 s of its time for hanging up again, so that it
# can report the fault: a peer that does not answer, or one that refuses the user.
# This node redials the link each 5 s, for redial_limit; then it has failed, and another
# one tries. A peer that is down for longer fails on all nodes in turn: failure-timeout is the time
# after its last failure until a node dials again.
# After a failed stop the node may redial when it should not: only power fencing helps then.
pcs -f "$cib/new" resource create pppd-link@SUFFIX@ ocf:vpnha:pppd \
    mode=link protocol=@PROTOCOL@ peer=@PEER@ user="@LOGIN@" secret_file=@SECRET_FILE@ \
    interface=@LINK@ routes="@ROUTES@" redial_limit=180 \
    op start interval=0 timeout=60s \
    op stop interval=0 timeout=30s on-fail=fence \
    op monitor interval=5s timeout=20s \
    --no-default-ops

# Hosts send packets for the other site's nets to this address. It follows the link, not the other
# way round; while the link is being redialled it stays.
pcs -f "$cib/new" constraint colocation add \
    vip-link@SUFFIX@ with pppd-link@SUFFIX@ \
    INFINITY id=vip-with-link@SUFFIX@

pcs -f "$cib/new" constraint order \
    start pppd-link@SUFFIX@ "then" start vip-link@SUFFIX@ \
    kind=Optional id=link-before-vip@SUFFIX@

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
