#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/apart.crm by cib-templates/generate.
# Different nodes serve two gateways, if there are enough nodes: `sh FILE`
# after replacing the @…@, after the templates of both. Load it twice, with each of the two in each place; for
# three gateways for each pair.
#
#   @SUFFIX@    suffix of one gateway, as in its template
#   @OTHER@     the suffix of the other one

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

# Of two standbys in sync, Pacemaker chooses the one that does not serve the other gateway. A node in sync has
# a score of 100, the standby that stands in first 101, a serving node 109: so 5 less decides between standbys,
# and moves no served gateway. With stand_in = false a serving node has 100, so 5 less does move it. A
# standby that misses sessions has 10 at most, and is not chosen because of this.
# Standbys stand in by the same order: a node that serves another gateway comes last. If no other was in sync,
# one node serves both, and `vpnha switchover` moves one gateway when a node returns.
# Twice: Pacemaker places the second gateway first, and only the placement of the other one considers it.
pcs -f "$cib/new" constraint colocation add \
    Promoted checkpoint@SUFFIX@-clone with Promoted checkpoint@OTHER@-clone \
    -5 id=gateway@SUFFIX@-apart-from@OTHER@

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
