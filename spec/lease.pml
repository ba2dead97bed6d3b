/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The lease of one gateway: claims, renewals, standing in, handover. Written from the sentences of
 * the documents, not from the code; docs/explain/specification.md has what is left out. Three
 * voters: three nodes, or two nodes (0 and 1) and a witness (2).
 *
 * In every state of a bounded run:
 *   one owner      No two nodes have an open gate. Exception: within one lease of the thaw of a
 *                  machine whose clock stood, by the clock of that machine.
 *   epochs grow    A gate opens, and is kept open, only in the highest epoch that ever had an open
 *                  gate. The same exception; and another one beside a witness that lies: a vpnhad
 *                  that was down while the other one served does not know that epoch.
 *   one claim      No epoch is claimed twice, also not after a crash.
 *   one number     A new owner's numbers begin above all numbers that were used before.
 *   clean handover The old gate is shut when the old owner sends its answer to the successor.
 *   undisturbed    A majority would answer a node that stands in only when no gate is open.
 *   an order holds Nobody stands in while a majority of the voters has received that the newest
 *                  epoch ended by order.
 *
 * Clocks: each node has times that are left, of its gate, promise, abstention and round. A tick
 * takes 1 of them; with DRIFT 1 or 2, each node in each tick anew. No step is ever forced: a
 * daemon that stands still is one that takes no step, and continues later with what it knew.
 *
 * Network: the newest round of each node, the answers to it and the Release of the node's last
 * epoch may arrive at any time, in any order, or never; a Release also twice. With OLD_ROUNDS a
 * round arrives twice as well, and behind its end; nobody counts an answer to an old one.
 */
#define LEASE 2
#ifdef DRIFT
#define PROMISE 4 /* L times 1 + rho, with rho = 1. */
#else
#define PROMISE 2
#endif
#define ABSTENTION PROMISE
/* Given for each run: NODES (2 where the witness lies, else 3), OLD_ROUNDS, and how often each may
 * happen: CLAIMS, STAND_INS among them, MOVES (demotions and ends by order), CRASHES, FREEZES. */
#ifdef COUNTERS
#define NUMBERS(steps) steps;
#else
#define NUMBERS(steps)
#endif
#ifdef WITNESS
#define BESIDE_WITNESS(steps) steps;
#define IS_NODE(n) ((n) != 2)
#else
#define BESIDE_WITNESS(steps)
#define IS_NODE(n) true
#endif
#ifdef TRACE
#include "trace.h" /* What happened in a run of the lab: see replay. */
#else
#define MAY(what, n, e) true
#define DID(n)
#define MAY_PASS true
#define END_OF_TRACE
#endif

#define N 3
#define BIT(v) (1 << (v))
#define HAS(votes, v) ((votes) & BIT(v))
#define MAJORITY(votes) ((votes) == 3 || (votes) >= 5)
/* An epoch is a number and the node that claims it; 0: none; node -1: granted to nobody. */
#define EPOCH(number, n) ((number) * 4 + (n) + 1)
#define NUMBER(epoch) ((epoch) / 4)
#define MAX(a, b) ((a) > (b) -> (a) : (b))
/* Phases. In the last two a node hands over: its gate is being shut, its numbers are being read. */
#define idle 0
#define claiming 1
#define holding 2
#define draining 3
#define shutting 4
#define reading 5
/* What is known of the numbers that were used before. From KNOWN on: how many above the highest. */
#define BELOW 0
#define KNOWN 1
#define CLAIM_ONLY 14 /* No round of an owner was received in that epoch. */
#define FORGOTTEN 15

typedef Node {
    byte claimed, granted;       /* On the disk, */
    bit order;                   /* as is whether `granted` ended by order. */
    byte gate;                   /* In the kernel. */
    bit down, frozen, released;  /* `released`: the epoch of the promise was. */
    byte promise, abstains, thawed;
    byte phase, epoch, successor;
    bit stands_in, by_order;     /* Its claim, and who wants it. */
    bit held;                    /* Of its newest round: it had the lease. */
    byte round, sent, counted;   /* That round, the answers to it, and those that have arrived. */
    byte handing;                /* Who is about to answer that round by a handover. */
    byte ended;                  /* The Release in the network. */
    bit ended_by_order;
    byte bound, seen;            /* By rounds of the other node: for so long; the highest epoch. */
    byte known;                  /* Numbers: by this voter, of the epoch that it granted, */
    byte before, before_epoch;   /* and of the one before; this goes with its answer to a claim. */
    bit handed, learned_handed;  /* A reading behind a gate that was shut for a handover. */
    byte learned, learned_epoch; /* The newest of these that a claimant has received. */
}
Node d[N];
byte asked, crashes, freezes, moves, stand_ins;
#define AHEAD 1 /* 2 in the product: so many numbers the witness grants before they are saved. */
byte saved;     /* The highest number on the disk of the witness. */
/* Of the invariants; nobody acts on them. */
byte top, claims[N], ordered;
hidden byte i, number, next, other;

#define ACTS(n) (!d[n].down && !d[n].frozen)
#define OPEN(n) (d[n].gate > 0 && !d[n].frozen)
#define SERVES(n) (ACTS(n) && d[n].gate > 0 && (d[n].phase == holding || d[n].phase == draining))
#define ASKS(n) (SERVES(n) || (ACTS(n) && d[n].phase == claiming))

/* A voter answers: it does not abstain, and is not about to hand over to that epoch; the epoch is
 * its highest grant and was not released, or is higher and no promise holds. */
#define ANSWERS(v, e) (ACTS(v) && d[v].abstains == 0 && \
    !(d[v].phase >= shutting && d[v].granted == (e)) && \
    (((e) == d[v].granted && !d[v].released) || ((e) > d[v].granted && d[v].promise == 0)))
/* It would answer a claim, and promises nothing by that. */
#define WOULD(v) (ACTS(v) && d[v].abstains == 0 && d[v].promise == 0 && !d[v].order)
#define WILLING (WOULD(0) + 2 * WOULD(1) + 4 * WOULD(2))
#ifdef WITNESS
/* A round that binds who receives it, answered or not: of an owner, or one that was refused for
 * another reason than a promise. */
#define BINDS(v, s) ((v) != (s) && (d[s].held || (!ANSWERS(v, d[s].epoch) && \
    (d[v].abstains > 0 || d[s].epoch <= d[v].granted))))
/* A majority that needs the witness counts with the node's own vote, and for a claim while no round
 * binds the node and it has received no higher epoch. */
#define DECIDES(n, votes) (MAJORITY(votes) && (!HAS(votes, 2) || (votes) == 7 || (HAS(votes, n) && \
    (d[n].phase != claiming || (d[n].bound == 0 && d[n].seen < d[n].epoch)))))
#define AGREED(n) (WOULD(n) && MAJORITY(WILLING) && (!HAS(WILLING, 2) || d[n].bound == 0))
#else
#define BINDS(v, s) false
#define DECIDES(n, votes) MAJORITY(votes)
#define AGREED(n) (WOULD(n) && MAJORITY(WILLING))
#endif
/* An owner hands over what its own vote still promises to itself: one that drains to any claim, one
 * that stands in to a claim that Pacemaker has ordered. */
#define HANDS_OVER(n, s) (SERVES(n) && d[s].phase == claiming && d[s].round > 0 && \
    d[s].epoch > d[n].epoch && d[n].granted == d[n].epoch && d[n].promise > 0 && \
    (d[n].phase == draining || (d[n].stands_in && d[s].by_order)))

/* ---- Numbers: an open gate uses one in a unit of time ---- */

inline lower(value, by) {
    value = (value < KNOWN || value >= CLAIM_ONLY -> value :
             (value - KNOWN < (by) -> BELOW : value - (by)))
}
inline use_numbers(many) {
    i = 0;
    do
    :: i < N -> lower(d[i].known, many); lower(d[i].before, many); lower(d[i].learned, many); i++
    :: else -> break
    od
}
/* Of the answers to a claim: what was handed over; else the newest epoch's highest, and nothing
 * where a voter has forgotten. */
inline note_numbers(c, w) {
    if
    :: d[c].learned_handed
    :: !d[c].learned_handed && d[w].handed -> d[c].learned = d[w].before; d[c].learned_handed = 1
    :: !d[c].learned_handed && !d[w].handed && d[w].before == FORGOTTEN -> d[c].learned = FORGOTTEN
    :: !d[c].learned_handed && !d[w].handed && d[w].before != FORGOTTEN &&
       d[c].learned != FORGOTTEN && (d[w].before_epoch > d[c].learned_epoch ||
        (d[w].before_epoch == d[c].learned_epoch && (d[c].learned == CLAIM_ONLY ||
         (d[w].before != CLAIM_ONLY && d[w].before > d[c].learned)))) ->
        d[c].learned = d[w].before; d[c].learned_epoch = d[w].before_epoch
    :: else
    fi
}
inline begin_numbers(c) {
    if
    :: d[c].learned >= CLAIM_ONLY || top == 0 -> use_numbers(CLAIM_ONLY) /* The largest margin. */
    :: else ->
        assert(d[c].learned >= KNOWN); /* one number */
        number = d[c].learned - KNOWN; use_numbers(number)
    fi;
    d[c].learned = 0; d[c].learned_epoch = 0; d[c].learned_handed = 0
}

/* ---- Votes ---- */

inline grant(voter, wanted) {
    if
    :: wanted > d[voter].granted ->
        NUMBERS(d[voter].before = d[voter].known; d[voter].before_epoch = d[voter].granted;
                d[voter].handed = 0; d[voter].known = CLAIM_ONLY)
        BESIDE_WITNESS(
            saved = (voter == 2 && NUMBER(wanted) > saved + AHEAD -> NUMBER(wanted) : saved))
        d[voter].granted = wanted; d[voter].released = 0;
        d[voter].order = 0; ordered = ordered & ~BIT(voter)
    :: else
    fi;
    d[voter].promise = PROMISE
}
inline answer(v, s) {
    grant(v, d[s].epoch);
    d[s].sent = d[s].sent | BIT(v);
    NUMBERS(d[v].known = (d[s].held -> KNOWN + d[s].round : d[v].known))
}
inline hear_release(v, s) {
    d[v].promise = 0; d[v].released = 1;
    d[v].order = d[s].ended_by_order; ordered = ordered | (d[v].order -> BIT(v) : 0)
}
inline close_round(n) { d[n].round = 0; d[n].held = 0; d[n].handing = 0;
                         d[n].sent = 0; d[n].counted = 0 }

/* The gate is shut first, then the Release is sent. */
inline end_epoch(n, why) {
    d[n].gate = 0;
    d[n].ended = d[n].epoch; d[n].ended_by_order = why;
    d[n].epoch = 0; d[n].phase = idle; d[n].stands_in = 0; d[n].by_order = 0; d[n].successor = 0;
    close_round(n)
}

/* An owner that receives a renewal in a higher epoch ends its own. */
inline receive(v, s) {
    BESIDE_WITNESS(
        d[v].bound = (BINDS(v, s) -> PROMISE : d[v].bound);
        d[v].seen = (v != s -> MAX(d[v].seen, d[s].epoch) : d[v].seen);
        if :: SERVES(v) && d[s].held && d[s].epoch > d[v].epoch -> end_epoch(v, 0) :: else fi)
    if :: ANSWERS(v, d[s].epoch) -> answer(v, s) :: else fi
}
#ifdef LIES /* The nodes receive each other's rounds at once. */
#define TO_OTHER(n) other = 1 - n; if :: ACTS(other) -> receive(other, n) :: else fi
#else
#define TO_OTHER(n) skip
#endif

/* ---- The owner ---- */

#define APART(a, b) assert(!(OPEN(a) && OPEN(b)) || d[a].thawed > 0 || d[b].thawed > 0)
#ifdef LIES
#define MAY_FALL(o) (d[o].thawed > 0 || crashes > 0)
#else
#define MAY_FALL(o) (d[o].thawed > 0)
#endif
inline one_owner() { APART(0, 1); APART(0, 2); APART(1, 2) }

/* An answer arrives. With a majority the gate is open until a lease after the round was sent. */
inline count(o, from) {
    d[o].counted = d[o].counted | BIT(from);
    NUMBERS(if :: d[o].phase == claiming -> note_numbers(o, from) :: else fi)
    if
    :: DECIDES(o, d[o].counted) ->
        if
        :: d[o].phase == claiming -> DID(o) d[o].phase = holding; NUMBERS(begin_numbers(o))
        :: else
        fi;
        d[o].gate = MAX(d[o].gate, d[o].round);
        one_owner();
        assert(d[o].epoch >= top || MAY_FALL(o)); /* epochs grow */
        ordered = (d[o].epoch > top -> 0 : ordered); top = MAX(top, d[o].epoch);
        BESIDE_WITNESS(if
            :: !d[o].held && HAS(d[o].counted, 2) -> /* It renews at once. */
                d[o].round = LEASE; d[o].held = 1; d[o].sent = 0; d[o].counted = 0;
                if :: ANSWERS(o, d[o].epoch) -> answer(o, o); d[o].counted = BIT(o) :: else fi;
                TO_OTHER(o)
            :: else
            fi)
    :: else
    fi
}

/* A round to all voters; a node's own vote waits for no message. */
inline ask(n) {
    d[n].round = LEASE; d[n].held = (d[n].phase != claiming); d[n].sent = 0; d[n].counted = 0;
    d[n].handing = 0;
    if :: ANSWERS(n, d[n].epoch) -> answer(n, n); count(n, n) :: else fi;
    TO_OTHER(n)
}
#define NEXT(n, e) (1 + MAX(NUMBER(d[n].claimed), MAX(NUMBER(d[n].granted), NUMBER(e))))
#define HIGHEST MAX(d[0].granted, MAX(d[1].granted, d[2].granted))
/* `floor`: the epoch that a voter has reported as granted. It is saved before it is sent. */
inline claim(n, floor, is_ordered) {
    asked++;
    number = NEXT(n, floor);
    d[n].claimed = EPOCH(number, n); d[n].epoch = d[n].claimed;
    assert(claims[n] < d[n].claimed); claims[n] = d[n].claimed; /* one claim */
    d[n].phase = claiming; d[n].by_order = is_ordered; d[n].stands_in = !is_ordered;
    d[n].learned = 0; d[n].learned_epoch = 0; d[n].learned_handed = 0;
    ask(n)
}
#define CLAIMS_NOW(n) (IS_NODE(n) && ACTS(n) && d[n].phase <= claiming && asked < CLAIMS)
/* An answer that makes n an owner is an event of a log. */
#define GRANTS(n, v) (d[n].phase != claiming || !DECIDES(n, d[n].counted | BIT(v)) || \
    MAY(GRANT, n, d[n].epoch))

/* ---- What node n does with what node s has sent to it ---- */

#define FROM(s) \
    :: d_step { d[s].round > 0 && ACTS(n) && (!HAS(d[s].sent, n) || (OLD_ROUNDS && n != s)) && \
        (ANSWERS(n, d[s].epoch) || BINDS(n, s)) -> receive(n, s) } \
    :: d_step { OLD_ROUNDS && d[s].claimed > 0 && ANSWERS(n, d[s].claimed) -> \
        grant(n, d[s].claimed) } \
    :: d_step { HAS(d[n].sent, s) && !HAS(d[n].counted, s) && ASKS(n) && GRANTS(n, s) -> \
        count(n, s) } \
    :: d_step { d[s].ended > 0 && d[s].ended == d[n].granted && !d[n].released && ACTS(n) -> \
        hear_release(n, s) } \
    :: d_step { HANDS_OVER(n, s) -> \
        grant(n, d[s].epoch); close_round(n); d[n].phase = shutting; d[n].successor = s; \
        d[s].handing = BIT(n) }

active [NODES] proctype node() {
    byte n = _pid;
    do
    FROM(0)
    FROM(1)
    FROM(2)
    /* Promoted, with what it knows itself, or with what a refusal names. */
    :: d_step { CLAIMS_NOW(n) && MAY(CLAIM, n, EPOCH(NEXT(n, 0), n)) -> claim(n, 0, 1) }
    :: d_step { CLAIMS_NOW(n) && HIGHEST > MAX(d[n].claimed, d[n].granted) &&
        MAY(CLAIM, n, EPOCH(NEXT(n, HIGHEST), n)) -> next = HIGHEST; claim(n, next, 1) }
    /* It stands in. */
    :: d_step { CLAIMS_NOW(n) && d[n].phase == idle && AGREED(n) && stand_ins < STAND_INS &&
        MAY(STAND_IN, n, EPOCH(NEXT(n, HIGHEST), n)) ->
        stand_ins++; i = 0;
        do
        :: i < N -> assert(!OPEN(i) || d[i].thawed > 0); i++ /* undisturbed */
        :: else -> break
        od;
        assert(!MAJORITY(ordered)); /* an order holds */
        next = HIGHEST; claim(n, next, 0) }
    :: d_step { ASKS(n) && d[n].round < LEASE -> ask(n) }
    /* Its lease has lapsed; it is released by order; it is demoted; nobody has claimed since. */
    :: d_step { ACTS(n) && d[n].gate == 0 && (d[n].phase == holding || d[n].phase == draining) &&
        MAY(END, n, d[n].epoch) -> DID(n) end_epoch(n, 0) }
    :: d_step { SERVES(n) && d[n].phase == holding && moves < MOVES && MAY(END, n, d[n].epoch) ->
        moves++; DID(n) end_epoch(n, 1) }
    :: d_step { SERVES(n) && d[n].phase == holding && moves < MOVES && MAY(DRAIN, n, 0) ->
        moves++; DID(n) d[n].phase = draining }
    :: d_step { SERVES(n) && d[n].phase == draining && MAY(END, n, d[n].epoch) ->
        DID(n) end_epoch(n, 1) }
    /* Handover: the grant is saved, the gate is shut, the numbers are read, the answer is sent. */
    :: d_step { ACTS(n) && d[n].phase == shutting && MAY(HAND, n, d[n].epoch) ->
        DID(n) d[n].gate = 0; d[n].phase = reading }
    :: d_step { ACTS(n) && d[n].phase == reading ->
        next = d[n].successor;
        assert(!OPEN(n)); /* clean handover */
        NUMBERS(d[n].before = KNOWN; d[n].handed = 1)
        d[next].sent = d[next].sent | (HAS(d[next].handing, n) -> BIT(n) : 0);
        d[next].handing = 0;
        end_epoch(n, 0) }
    /* vpnhad dies and leaves its gate as it is; the next one shuts the gate, and abstains. */
    :: d_step { !d[n].down && crashes < CRASHES && MAY(CRASH, n, 0) ->
        crashes++; DID(n)
        d[n].down = 1; d[n].promise = 0; d[n].released = 0; d[n].abstains = 0;
        d[n].epoch = 0; d[n].phase = idle; d[n].stands_in = 0; d[n].by_order = 0;
        d[n].successor = 0; d[n].bound = 0; d[n].seen = 0;
        close_round(n);
        /* All that the witness may have granted ahead of its disk counts as granted, to nobody. */
        BESIDE_WITNESS(if
            :: n == 2 && NUMBER(d[n].granted) > saved ->
                saved = saved + AHEAD + 1; d[n].granted = EPOCH(saved, -1)
            :: else
            fi)
        NUMBERS(d[n].known = FORGOTTEN; d[n].before = FORGOTTEN; d[n].handed = 0;
            d[n].learned = 0; d[n].learned_epoch = 0; d[n].learned_handed = 0;
            d[0].sent = d[0].sent & ~BIT(n); d[1].sent = d[1].sent & ~BIT(n);
            d[2].sent = d[2].sent & ~BIT(n)) }
    :: d_step { d[n].down && !d[n].frozen && MAY(START, n, 0) ->
        DID(n) d[n].down = 0; d[n].gate = 0; d[n].abstains = ABSTENTION }
    BESIDE_WITNESS(:: d_step { n == 2 && saved < NUMBER(d[n].granted) ->
        saved = NUMBER(d[n].granted) })
    /* A machine stands still with its clock. */
    :: d_step { !d[n].frozen && freezes < FREEZES -> freezes++; d[n].frozen = 1; d[n].thawed = 0 }
    :: d_step { d[n].frozen -> d[n].frozen = 0; d[n].thawed = LEASE; one_owner() }
    od
}

#ifdef LIES
active proctype liar() {
    do
    :: d_step { d[0].round > 0 -> d[0].sent = d[0].sent | BIT(2) }
    :: d_step { d[1].round > 0 -> d[1].sent = d[1].sent | BIT(2) }
    od
}
#endif

/* ---- Time ---- */

inline less(value, by) { value = (value > (by) -> value - (by) : 0) }
inline pass(n, by) {
    if
    :: !d[n].frozen ->
        NUMBERS(number = (d[n].gate < (by) -> d[n].gate : (by)); use_numbers(number))
        less(d[n].gate, by); less(d[n].promise, by); less(d[n].abstains, by);
        less(d[n].thawed, by); less(d[n].bound, by); less(d[n].round, by);
        if :: d[n].round == 0 -> close_round(n) :: else fi
    :: else
    fi
}
#define TICK(a, b, c) :: d_step { MAY_PASS -> pass(0, a); pass(1, b); pass(2, c); one_owner() }
active proctype time() {
    do
#ifdef DRIFT
    TICK(1, 1, 2) TICK(1, 2, 1) TICK(1, 2, 2)
    TICK(2, 1, 1) TICK(2, 1, 2) TICK(2, 2, 1) TICK(2, 2, 2)
#endif
    TICK(1, 1, 1)
    END_OF_TRACE
    od
}
