#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/apart.crm by cib-templates/generate.
# Two gateways are served by different nodes, as long as there are enough: `sh FILE`
# after replacing the @…@, behind the templates of both. Load it twice, with each of the two in each place; of
# three gateways for each pair.
#
#   @SUFFIX@    of the one gateway, as in its template
#   @OTHER@     the suffix of the other one

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

# Of two standbys in sync, Pacemaker takes the one that does not serve the other gateway. A node in sync is
# worth 100, the standby that stands in first 101, a node that serves 109: so 5 less decides between standbys,
# and moves no gateway that is served. With stand_in = false a node that serves is worth 100, and it does. A
# standby that lacks sessions is worth 10 at most, and gets none for this.
# Standbys stand in by the same order: who serves another gateway comes last. Where no other one was in sync,
# one node serves both, and `vpnha switchover` moves one when a node comes back.
# Twice: Pacemaker places the one that stands second first, and only the other one heeds it.
pcs -f "$cib/new" constraint colocation add \
    Promoted checkpoint@SUFFIX@-clone with Promoted checkpoint@OTHER@-clone \
    -5 id=gateway@SUFFIX@-apart-from@OTHER@

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
