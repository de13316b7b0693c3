#!/usr/bin/env python3
"""Makes the data set in data/ (fixed seed), and expected.json.gz of it by reference.py. Checks that nothing in it hangs
on the readings that reference.py marks as READING, where that can be avoided."""
import gzip
import io
import itertools
import json
import math
import os
import random
import sys
from collections import Counter

import reference as ref

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.dirname(os.path.abspath(__file__))
NOW_TEXT = "2026-11-26T10:17:30Z"
NOW = ref.parse_s(NOW_TEXT)
COST = 0.003
rng = random.Random(20261126)
OLD_VERSION, VERSION = "a41be907", "3f6c1f0a"
PROVIDERS = ["anthropic", "gemini", "grok", "openai"]
WEIGHTS = {"anthropic": 1.0, "gemini": 0.8, "grok": 0.7, "openai": 0.9}
PRICE_OF_A_VOTE = {"anthropic": 0.0031, "gemini": 0.0007, "grok": 0.0012, "openai": 0.0019}

# how often each is right when it says BUY or SELL
SKILL = {
    "5m": {"anthropic": .52, "gemini": .50, "grok": .48, "openai": .50},
    "1h": {"anthropic": .56, "gemini": .26, "grok": .50, "openai": .74},
    "6h": {"anthropic": .50, "gemini": .55, "grok": .12, "openai": .86},
    "1d": {"anthropic": .60, "gemini": .50, "grok": .45, "openai": .55},
    "1w": {"anthropic": .50, "gemini": .50, "grok": .50, "openai": .50},
}
# pair → (price, decimals); per timeframe: pairs, candles back from now, volatility of one candle, results, late candles share
SERIES = {
    "5m": ([("BTC/USDT", 61000, 1), ("ETH/USDT", 2900, 2)], 14 * 288, .0011, 350),
    "1h": ([("BTC/USDT", 60000, 0), ("ETH/USDT", 3000, 1), ("XYZ-TSLA/USDC:USDC", 410, 2)], 62 * 24, .004, 430),
    "6h": ([("BTC/USDT", 55000, 0), ("SOL/EUR", 130, 2)], 280 * 4, .012, 430),
    "1d": ([("BTC/USDT", 48000, 0), ("SHIB/USD", .00001234, 8)], 420, .025, 110),
    "1w": ([("BTC/USDT", 45000, 0), ("ETH/USDT", 2500, 1), ("SOL/EUR", 150, 2)], 78, .06, 80),
}
candles = {}  # (pair, timeframe) → {time: [o, h, l, c, volume]}
results = []  # (t0 order, line)
kinds = {}


def open_of(at, step):
    origin = 4 * ref.DAY if step == 604800 else 0
    return at - (at - origin) % step


def stamp(ms):
    text = ref.show(ms // 1000)
    return text if ms % 1000 == 0 else text[:-1] + ".%03dZ" % (ms % 1000)


def uuid7(ms):
    v = (ms << 80) | (7 << 76) | (rng.getrandbits(12) << 64) | (2 << 62) | rng.getrandbits(62)
    h = "%032x" % v
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


# ---------------------------------------------------------------- candles

def walk(pair, timeframe, price, decimals, count, volatility):
    step = ref.STEP[timeframe]
    newest = open_of(NOW, step)  # still forming: must be left out
    rows, close = {}, float(price)
    for i in range(count, -1, -1):
        o = round(close * (1 + (rng.gauss(0, volatility * .1) if rng.random() < .3 else 0)), decimals)
        c = round(o * math.exp(rng.gauss(0, volatility)), decimals)
        h = round(max(o, c) * (1 + abs(rng.gauss(0, volatility * .4))), decimals)
        l = round(min(o, c) * (1 - abs(rng.gauss(0, volatility * .4))), decimals)
        rows[newest - i * step] = [o, max(h, o, c), min(l, o, c), c, round(rng.lognormvariate(3, 1), 2)]
        close = c
    candles[pair, timeframe] = rows
    return rows


def make_candles():
    for timeframe, (pairs, count, volatility, _) in SERIES.items():
        for pair, price, decimals in pairs:
            rows = walk(pair, timeframe, price, decimals, count, volatility)
            times = sorted(rows)
            gaps = {"5m": 22, "1h": 9, "6h": 6, "1d": 2, "1w": 1}[timeframe]
            for _ in range(gaps):
                at = rng.randrange(20, len(times) - 6)
                for t in times[at:at + rng.choice((1, 1, 1, 2, 5) if timeframe in ("5m", "1h") else (1,))]:
                    rows.pop(t, None)
    # a market whose candles ended 10 days ago, and one that began 5 days ago
    old = walk("OLD/USDT", "1h", 12.5, 3, 24 * 14, .006)
    for t in list(old):
        if t > NOW - 10 * ref.DAY:
            del old[t]
    new = walk("NEW/USDT", "1h", 0.5, 4, 24 * 5, .006)
    assert old and new


# ---------------------------------------------------------------- votes to a consensus (design/consensus.md)

def verdict_of(votes, gates):
    weighted = {d: sum(v["weight"] * v["confidence"] for v in votes if v["decision"] == d) for d in ("BUY", "SELL", "HOLD")}
    ranked = sorted(weighted.values(), reverse=True)
    top = ranked[0]
    tops = [d for d in weighted if weighted[d] >= top - 1e-9 * top]
    raw, why = (tops[0], "voted") if len(tops) == 1 else ("HOLD", "tie")
    if top == 0:
        raw, why = "HOLD", "no_conviction"
    supporters = [v for v in votes if v["decision"] == raw]
    sw = sum(v["weight"] for v in supporters)
    confidence = min(1.0, max(0.0, sum(v["weight"] * v["confidence"] for v in supporters) / sw * (.7 + .3 * len(supporters) / len(votes)))) if sw else 0
    total = sum(weighted.values())
    agreement = weighted[raw] / total if total else 0
    decision, reason = raw, why if raw == "HOLD" else None
    if raw != "HOLD":
        if confidence < gates[0]:
            decision, reason = "HOLD", "below_min_confidence"
        elif agreement < gates[1]:
            decision, reason = "HOLD", "below_min_agreement"
    return {"decision": decision, "raw": raw, "reason": reason, "confidence": confidence, "agreement": agreement,
            "weighted": weighted, "margin": ranked[0] - ranked[1], "total": total, "supporters": supporters}


def early_range(votes, out, gates):
    """Lowest and highest confidence over all completions, or None where one of them decides otherwise."""
    base, seen = verdict_of(votes, gates), []
    choices = [None] + [(d, c) for d in ("BUY", "SELL", "HOLD") for c in (0.0, 1.0)]
    for ends in itertools.product(choices, repeat=len(out)):
        more = [dict(v, decision=e[0], confidence=e[1]) for v, e in zip(out, ends) if e]
        got = verdict_of(sorted(votes + more, key=lambda v: v["provider"]), gates)
        if (got["raw"], got["decision"]) != (base["raw"], base["decision"]):
            return None
        seen.append(got["confidence"])
    return [min(seen), max(seen)]


def answer(pair, timeframe, candle_time, at_ms, price, votes, gates, version, *, early=False, failures=(), imported=False,
           simulated=False, shared_from=None, probability="absent", id=None):
    step = ref.STEP[timeframe]
    votes = sorted(votes, key=lambda v: v["provider"])
    failures, confidence_range = list(failures), None
    if early:
        for size in (2, 1):
            for gone in itertools.combinations(votes, size):
                rest = [v for v in votes if v not in gone]
                if len(rest) >= 2 and (confidence_range := early_range(rest, gone, gates)):
                    votes = rest
                    failures += [(v["provider"], "not_needed") for v in gone]
                    break
            if confidence_range:
                break
        early = bool(confidence_range)
    got = verdict_of(votes, gates)
    contributions = []
    for v in votes:
        rest = [w for w in votes if w is not v]
        other = verdict_of(rest, gates)["decision"] if rest else None
        contributions.append({"provider": v["provider"], "share": v["weight"] * v["confidence"] / got["total"] if got["total"] else 0,
                              "supports": v["decision"] == got["raw"], "pivotal": other != got["decision"], "decision_without": other})
    against = sorted((v for v in votes if v["decision"] != got["raw"]), key=lambda v: -v["confidence"])
    dissent = {k: against[0][k] for k in ("provider", "decision", "confidence", "reasoning")} if against else None
    best = max(got["supporters"], key=lambda v: v["confidence"], default=None)
    result = {
        "id": id or uuid7(at_ms), "status": "degraded" if any(f[1] != "not_needed" for f in failures) else "complete", "simulated": simulated,
        "pair": pair, "timeframe": timeframe, "current_price": price,
        "decision": got["decision"], "raw_decision": got["raw"], "hold_reason": got["reason"],
        "confidence": got["confidence"], "weighted_confidence": got["confidence"], "agreement_score": got["agreement"],
        "reasoning": "Consensus (%d/%d providers agree): %s" % (len(got["supporters"]), len(votes), best["reasoning"] if best else "-"),
        "risk_level": "medium", "suggested_stop_loss": None, "suggested_take_profit": None,
        "total_providers": len(votes) + len(failures), "participating_providers": len(votes),
        "vote_breakdown": {d: sum(v["decision"] == d for v in votes) for d in ("BUY", "SELL", "HOLD")}, "weighted_votes": got["weighted"],
        "provider_responses": votes,
        "failures": [{"provider": p, "error": e, "message": e, "retryable": e == "timeout", "attempts": 1, "latency_ms": 20000.0} for p, e in sorted(failures)],
        "explanation": {"contributions": contributions, "margin": got["margin"],
                        "stability": sum(not c["pivotal"] for c in contributions) / len(votes), "dissent": dissent},
        "warnings": [{"code": "single_vote", "message": "one vote"}] if len(votes) == 1 else [],
        "total_latency_ms": 1500.0, "overhead_ms": 0.9,
        "total_cost_usd": 0 if shared_from else sum(v["cost_usd"] for v in votes if v["cost_usd"] is not None), "total_tokens": 0 if shared_from else 1040 * len(votes),
        "policy": {"min_providers": 1, "min_confidence": gates[0], "min_agreement": gates[1]},
        "timestamp": stamp(at_ms), "candle_time": ref.show(candle_time), "valid_until": ref.show(candle_time + 2 * step),
        "prompt_version": version, "cache": "coalesced" if shared_from else "miss", "shared_from": shared_from, "votes_at": stamp(at_ms),
        "decided_early": early, "confidence_range": confidence_range}
    if probability != "absent":
        if probability is not None and got["raw"] == "HOLD":
            probability = {"value": None, "low": None, "high": None, "n_eff": None, "needed": 100, "break_even": None,
                           "horizon_candles": 3, "fitted_at": None, "reason": "hold"}
        result["probability"] = probability
    results.append({"result": result, "imported": imported})
    return result


def vote(provider, model, decision, confidence, cost, weight=None):
    return {"provider": provider, "model": model, "decision": decision, "confidence": confidence, "weight": weight or WEIGHTS[provider],
            "reasoning": {"BUY": "up", "SELL": "down", "HOLD": "unclear"}[decision], "risk_level": "medium", "stop_loss": None, "take_profit": None,
            "latency_ms": 812.4, "attempts": 1, "input_tokens": 900, "output_tokens": 140, "cost_usd": cost}


def model_of(provider, t0, half):
    return {"anthropic": "claude-sonnet-5" if t0 >= half else "claude-sonnet-4-5", "gemini": "gemini-3-pro", "grok": "grok-4", "openai": "gpt-5.2"}[provider]


def normal_cdf(x):
    return .5 * (1 + math.erf(x / math.sqrt(2)))


def cast(timeframe, t0, half, sign, skill):
    """Four votes with correlated errors."""
    common, votes = rng.gauss(0, 1), []
    holds = rng.random() < .10  # all see nothing
    for p in PROVIDERS:
        z = .55 * common + math.sqrt(1 - .55**2) * rng.gauss(0, 1)
        right = normal_cdf(z) < skill[p]
        d = ("BUY" if sign > 0 else "SELL") if right else ("SELL" if sign > 0 else "BUY")
        if rng.random() < (.7 if holds else .12):
            d = "HOLD"
        base = {"anthropic": .84, "gemini": .78, "grok": .86, "openai": .88}[p] + (.03 if right else 0)
        c = min(1.0, max(.02, round(base + rng.gauss(0, .08), 2)))
        if rng.random() < .02:
            c = rng.choice((1.0, .99, .985, .5, .35, .01, .6667, .725))  # ends, and cells at their edges
        cost = round(PRICE_OF_A_VOTE[p] * rng.uniform(.7, 1.4), 6)
        if rng.random() < .04 or p == "grok" and timeframe == "5m":
            cost = None
        votes.append(vote(p, model_of(p, t0, half), d, c, cost, 1.0 if timeframe == "6h" and p in ("grok", "openai") else None))
    return votes


def published(version):
    if version == OLD_VERSION or rng.random() < .3:
        return "absent"
    x = rng.random()
    if x < .03:
        return None
    p = {"value": None, "low": None, "high": None, "n_eff": 37.5, "needed": 100, "break_even": .7459, "horizon_candles": 3, "fitted_at": None, "reason": "too_few"}
    if x > .3:
        v = rng.uniform(.44, .6)
        p.update(value=v, low=v - .07, high=v + .06, n_eff=163.2, fitted_at=NOW_TEXT, reason=None)
    return p


def price_near(row, decimals):
    o, h, l, _, _ = row
    x = rng.random()
    if x < .80:
        p = round(rng.uniform(l, h), decimals)
    elif x < .84:
        p = rng.choice((h, l))
    elif x < .92:
        p = round(h * 1.004, decimals)
    elif x < .98:
        p = round(l * .993, decimals)
    else:
        p = rng.choice((round(o * 1.13, decimals), round(o * .86, decimals), round(o * 100, decimals)))
    return p


def make_results():
    for timeframe, (pairs, count, _, wanted) in SERIES.items():
        step = ref.STEP[timeframe]
        first = open_of(NOW, step) - (count - 12) * step
        last = open_of(NOW, step)
        grid = range(first, last + 1, step)
        half, change = first + (last - first) // 2, first + (last - first) // 7
        if timeframe == "1w":  # day 2025-11-27 is where 365 days begin: stay clear of it
            grid = [t for t in grid if not ref.parse_s("2025-11-12T00:00:00Z") < t < ref.parse_s("2025-12-04T00:00:00Z")]
        if timeframe == "1d":
            grid = [t for t in grid if not ref.parse_s("2025-11-20T00:00:00Z") < t < ref.parse_s("2025-12-01T00:00:00Z")]
        made, slots, spread = 0, {}, []
        for t in grid:
            slots.setdefault(t // (3 * step), []).append(t)
        while made < wanted:
            if not spread:
                spread = rng.sample(sorted(slots), len(slots))
            t0 = rng.choice(slots[spread.pop()]) if rng.random() > .02 else rng.choice(grid[-5:])
            group = 1 if rng.random() < .75 else rng.choice((2, 2, 3))  # several at one time: windows of unequal m
            for _ in range(group):
                if made == wanted:
                    break
                pair, _, decimals = rng.choice(pairs)
                rows = candles[pair, timeframe]
                row, third = rows.get(t0), rows.get(t0 + 2 * step)
                price = price_near(row, decimals) if row else round(next(iter(rows.values()))[3], decimals)
                x = rng.random()
                if x < .76:
                    after = rng.randrange(400, 20000)
                elif x < .90:
                    after = rng.randrange(1000, step * 990)
                elif x < .93:
                    after = min(120, step // 5) * 1000 + rng.choice((0, 1))  # exactly at the grace, and just after
                elif x < .95:
                    after = step * 1000 + rng.choice((-1, 0, 1, 400000))  # exactly t0 + step, just before, after
                elif x < .96:
                    after = -rng.randrange(1000, step * 500)  # the caller's newest candle had not closed
                else:
                    after = rng.randrange(20000, 60000)
                at_ms = t0 * 1000 + after
                if at_ms > NOW * 1000 - 5000:
                    continue
                if row and third:
                    reference = price if row[2] <= price <= row[1] else row[0]
                    sign = third[3] - reference or rng.choice((-1, 1))
                else:
                    sign = rng.choice((-1, 1))
                votes = cast(timeframe, t0, half, sign, SKILL[timeframe])
                failures = []
                if rng.random() < .02:  # only one answered: decision_without is null
                    keep = rng.choice(votes)
                    failures = [(v["provider"], "timeout") for v in votes if v is not keep]
                    votes = [keep]
                else:
                    gone = [v for v in votes if rng.random() < .03]
                    failures = [(v["provider"], "provider") for v in gone]
                    votes = [v for v in votes if v not in gone]
                if not votes:
                    continue
                gates = (.5, rng.choice((0, 0, 0, .55, .7)))
                version = OLD_VERSION if t0 < change else VERSION
                candle_time = t0 - step
                if rng.random() < .004:
                    candle_time -= step // 2  # off the grid: no candle opens at its t0
                answer(pair, timeframe, candle_time, at_ms, price, votes, gates, version, early=rng.random() < .11, failures=failures,
                       imported=rng.random() < .08, probability=published(version))
                made += 1


def make_exact():
    """Moves of exactly zero and exactly the cost, and every other edge, each in a window of its own: 1h of EXA/USDC."""
    step, rows = 3600, {}
    candles["EXA/USDC", "1h"] = rows
    cases = [(1000., 1000., "zero"), (1000., 1003., "plus cost"), (1000., 997., "minus cost"),
             (1000., math.nextafter(1000 * (1 + COST), 2000), "one ulp above"), (1000., 1000 * (1 + COST), "the bound itself"), (1000., 1000 * (1 - COST), "the bound itself"),
             (1000., math.nextafter(1000 * (1 - COST), 0), "one ulp below"), (1024., 1024., "zero"), (50., 50., "zero")]
    up, down = {}, {}
    for r in range(900, 1101):  # where the exact decimal lies above, on and below float64's bound
        e = round(r * 1.003, 3)
        up.setdefault((e > r * (1 + COST)) - (e < r * (1 + COST)), []).append((float(r), e, "plus cost"))
        e = round(r * .997, 3)
        down.setdefault((e > r * (1 - COST)) - (e < r * (1 - COST)), []).append((float(r), e, "minus cost"))
    print("decimal ±cost against the float bound:", {k: len(v) for k, v in up.items()}, {k: len(v) for k, v in down.items()})
    for some in list(up.values()) + list(down.values()):
        cases += some[:2]
    base = open_of(NOW, step) - 12 * ref.DAY
    plans = [(r, e, r, 900, why) for r, e, why in cases]
    plans += [(1000., 1010., p, a, why) for p, a, why in (
        (1100., 900, "10 % above, not more"), (1100.01, 900, "mismatch"), (900., 900, "10 % below"), (899.99, 900, "mismatch"),
        (1001., 900, "at the high"), (999., 900, "at the low"), (1001.01, 900, "outside"), (998.99, 900, "outside"),
        (1000.5, 120000, "at the grace"), (1000.5, 120001, "after the grace"), (1000.5, 3599999, "just in time"), (1000.5, 3600000, "late"), (1000.5, 3600001, "late"))]
    for i, (r, e, price, after, why) in enumerate(plans):
        t0 = base + 5 * i * step
        rows[t0 - step] = [r, r, r, r, 0]
        rows[t0] = [r, r + 1, r - 1, r + .5, 1.5]
        rows[t0 + step] = [r + .5, max(e, r + 2), min(e, r - 2), r + .25, 2]
        rows[t0 + 2 * step] = [r + .25, max(e, r + 2), min(e, r - 2), e, 2.5]
        rows[t0 + 3 * step] = [e, e, e, e, 0]
        for j, ds in enumerate((("BUY", "BUY", "SELL", "HOLD"), ("SELL", "SELL", "SELL", "HOLD"), ("HOLD", "HOLD", "BUY", "HOLD"))):
            if j == 2 and after != 900:
                continue
            votes = [vote(p, model_of(p, t0, 0), d, c, .001) for p, d, c in zip(PROVIDERS, ds, (.8, .75, .7, .9))]
            answer("EXA/USDC", "1h", t0 - step, t0 * 1000 + after + j, price, votes, (.5, 0), VERSION) if after in (900,) else \
                answer("EXA/USDC", "1h", t0 - step, t0 * 1000 + after, price, votes, (.5, 0), VERSION)
        kinds["exact windows"] = kinds.get("exact windows", 0) + 1
    assert base + 5 * len(plans) * step < NOW - 4 * step


def make_odd():
    def any_votes(t0, timeframe):
        return cast(timeframe, t0, 0, rng.choice((-1, 1)), SKILL[timeframe])
    step = 3600
    hour = open_of(NOW, step)
    for i in range(16):  # free text
        t0 = hour - rng.randrange(1, 900) * step
        text = ["Will Bitcoin reach $100k?", "Will BTC/USDT close above 70000 this week?", "Fed cuts in December", "yes or no"][i % 4]
        late = i % 5 == 4  # no_market goes before late
        answer(text, "1h" if i % 3 else "5m", t0 - (step if i % 3 else 300), t0 * 1000 + (4000000 if late else 2500), .42, any_votes(t0, "1h"), (.5, 0), VERSION)
    last = max(candles["OLD/USDT", "1h"])
    for k in (1, 2, 3, 4, 10, 100):  # none, and none later
        t0 = last + k * step
        answer("OLD/USDT", "1h", t0 - step, t0 * 1000 + 3000, 12.5, any_votes(t0, "1h"), (.5, 0), VERSION)
    for k in (0, 1):  # some there, nothing later: pending
        t0 = last - k * step
        answer("OLD/USDT", "1h", t0 - step, t0 * 1000 + 3000, candles["OLD/USDT", "1h"][t0][0], any_votes(t0, "1h"), (.5, 0), VERSION)
    for k in (2, 5):  # settled
        t0 = last - k * step
        answer("OLD/USDT", "1h", t0 - step, t0 * 1000 + 3000, candles["OLD/USDT", "1h"][t0][0], any_votes(t0, "1h"), (.5, 0), VERSION)
    first = min(candles["NEW/USDT", "1h"])
    for k in (-40, -4, -3, -2, -1, 0, 3):  # all at or after `to`: says nothing; then gaps; then settled
        t0 = first + k * step
        answer("NEW/USDT", "1h", t0 - step, t0 * 1000 + 3000, candles["NEW/USDT", "1h"][max(t0, first)][0], any_votes(t0, "1h"), (.5, 0), VERSION)
    for k in (3, 30, 60):  # a market without a file
        t0 = hour - k * step
        answer("ABC/USDT", "1h", t0 - step, t0 * 1000 + 3000, 7.5, any_votes(t0, "1h"), (.5, 0), VERSION)
    for timeframe, n in (("1h", 34), ("6h", 26)):  # simulated
        length = ref.STEP[timeframe]
        for _ in range(n):
            t0 = open_of(NOW, length) - rng.randrange(4, 120) * length
            row = candles["BTC/USDT", timeframe].get(t0)
            price = row[0] if row else 60000.0
            votes = [dict(v, model="simulator", cost_usd=0.0) for v in any_votes(t0, timeframe)]
            answer("BTC/USDT", timeframe, t0 - length, t0 * 1000 + 50, price, votes, (.5, 0), VERSION, simulated=True)
    whole = [l for l in results if l["result"]["timeframe"] in ("1h", "6h") and l["result"]["pair"] == "BTC/USDT"
             and not l["result"]["simulated"] and not l["result"]["decided_early"] and not l["imported"]]
    for l in rng.sample(whole, 14):  # shared: settled, but in no figure
        r = l["result"]
        at = ref.parse_ns(r["timestamp"]) // 10**6 + 150
        answer(r["pair"], r["timeframe"], ref.parse_s(r["candle_time"]), at, r["current_price"], [dict(v) for v in r["provider_responses"]],
               (.5, .8), r["prompt_version"], failures=[(f["provider"], f["error"]) for f in r["failures"]], shared_from=r["id"])


QUERIES = [
    {"prompt_version": VERSION, "pair": "BTC/USDT"},
    {"prompt_version": VERSION, "timeframe": "1h", "from": "2026-10-20", "to": "2026-11-20"},
    {"prompt_version": VERSION, "timeframe": "6h", "pair": "SOL/EUR", "from": "2026-05-01", "to": "2026-11-01"},
    {"prompt_version": OLD_VERSION, "timeframe": "1w", "from": "2025-06-01", "to": "2026-06-01"},
    {"prompt_version": VERSION, "timeframe": "6h", "simulated": True},
]


def write(name, text):
    with ref.open_text(os.path.join(DATA, name), "w") as f:
        f.write(text)


def number(x):
    return format(x, ".8f") if 0 < x < 1e-4 else repr(x)


def check(lines, series, expected):
    """Nothing hangs on an ambiguity that can be avoided."""
    outcomes = expected["outcomes"]
    for line in lines:
        r = line["result"]
        step, t0, to = ref.window_of(r)
        assert to != NOW and ref.parse_ns(r["timestamp"]) < NOW * ref.NS, r["id"]
        known = {t for t in series.get((r["pair"], r["timeframe"]), {}) if t + step <= NOW}
        if to <= NOW and outcomes[r["id"]]["status"] == "pending":
            missing = [t for t in (t0, t0 + step, t0 + 2 * step) if t not in known]
            assert not known or min(known) >= to or not any(t > m for m in missing for t in known if t >= t0), r["id"]
        if not r["simulated"] and r["timeframe"] in ("1d", "1w"):
            frm, _ = ref.default_days(NOW * ref.NS)
            assert abs(t0 - ref.parse_s(frm + "T00:00:00Z")) > 3 * ref.DAY
        if r["pair"] == "EXA/USDC":
            assert len(known) > 100
    boards = [b for s in expected["scoreboards"] + [q["scoreboard"] for q in expected["queries"]] for b in s["boards"]]
    assert all(s["boards"] for s in expected["scoreboards"] + [q["scoreboard"] for q in expected["queries"]])
    for b in boards:
        assert b["settled"] > 0
        for v in b["voters"]:
            assert v["directional"] > 0, (b["timeframe"], v["voter"])
            assert abs(v["n_eff"] - 100) > 1e-6
    # D of all votes, of directional ones and the board's blocks: on the same side of ten where n_eff would be enough
    for s in expected["scoreboards"]:
        for b in s["boards"]:
            for v in b["voters"]:
                if v["n_eff"] >= 100:
                    assert (v["net_return"]["low"] is None) == (b["blocks"] < 10)


def count(lines, outcomes, series):
    c = Counter()
    for line in lines:
        r, o = line["result"], outcomes[line["result"]["id"]]
        step, t0, to = ref.window_of(r)
        c["results"] += 1
        c["timeframe " + r["timeframe"]] += 1
        c[o["status"] + (" " + o["reason"] if o.get("reason") else "")] += 1
        c["imported"] += line["imported"]
        c["simulated"] += r["simulated"]
        c["shared_from"] += r["shared_from"] is not None
        c["decided early"] += r["decided_early"]
        c["older prompt version"] += r["prompt_version"] == OLD_VERSION
        c["HOLD by gate"] += r["decision"] != r["raw_decision"]
        c["raw HOLD"] += r["raw_decision"] == "HOLD"
        c["HOLD votes"] += sum(v["decision"] == "HOLD" for v in r["provider_responses"])
        c["single vote (decision_without null)"] += len(r["provider_responses"]) == 1
        c["votes without cost"] += sum(v["cost_usd"] is None for v in r["provider_responses"])
        p = r.get("probability", "absent")
        c["probability " + ("absent" if p == "absent" else "null" if p is None else "value null" if p["value"] is None else "value")] += 1
        if ref.parse_ns(r["timestamp"]) < t0 * ref.NS:
            c["timestamp before t0"] += 1
        if o["status"] == "settled":
            first = series[r["pair"], r["timeframe"]][t0]
            c["price outside first candle"] += not first[2] <= r["current_price"] <= first[1]
            c["late entry (after grace)"] += ref.parse_ns(r["timestamp"]) > t0 * ref.NS + min(120 * ref.NS, step * ref.NS // 5)
            c["move zero"] += o["move"] == 0
            c["class " + o["class"]] += 1
            frm, _ = ref.default_days(NOW * ref.NS)
            c["settled, older than 365 days"] += ref.day_of(t0) < frm
        elif o["status"] == "pending":
            c["pending though due"] += to <= NOW
        c["candle_time off the grid"] += (ref.parse_s(r["candle_time"]) - (4 * ref.DAY if step == 604800 else 0)) % step != 0
    return dict(sorted(c.items()))


def main():
    os.makedirs(DATA, exist_ok=True)
    make_candles()
    make_results()
    make_exact()
    make_odd()
    results.sort(key=lambda l: l["result"]["id"])
    ids = [l["result"]["id"] for l in results]
    assert len(set(ids)) == len(ids)
    write("results.jsonl.gz", "".join(json.dumps(l, separators=(",", ":")) + "\n" for l in results))
    text = io.StringIO()
    text.write("pair,timeframe,time,open,high,low,close,volume\n")
    for (pair, timeframe), rows in candles.items():
        for t in sorted(rows):
            text.write(",".join([pair, timeframe, ref.show(t)] + [number(x) for x in rows[t]]) + "\n")
    write("candles.csv.gz", text.getvalue())
    # read back what was written: the oracle sees only the files
    lines, series = ref.read_results(os.path.join(DATA, "results.jsonl.gz")), ref.read_candles(os.path.join(DATA, "candles.csv.gz"))
    expected = ref.reference(lines, series, NOW_TEXT, COST, "oracle", QUERIES)
    write("expected.json.gz", json.dumps(expected, separators=(",", ":"), allow_nan=False) + "\n")
    counts = count(lines, expected["outcomes"], series)
    counts.update(kinds, candles=sum(map(len, series.values())))
    print(json.dumps(counts, indent=1))
    for s in expected["scoreboards"]:
        for b in s["boards"]:
            print(s["prompt_version"], s["simulated"], b["timeframe"], "settled", b["settled"], b["unresolved"], "pending", b["pending"], "blocks", b["blocks"], "be", b["break_even_hit_rate"])
            for v in b["voters"]:
                print("    %-10s %-18s dir %3d n_eff %7.2f hit %.3f [%.2f %.2f] net %s %s early %d value %s" % (
                    v["voter"], v["model"], v["directional"], v["n_eff"], v["hit_rate"], v["low"], v["high"],
                    v["net_return"]["low"], v["verdict"], v["early"], v.get("value", {}).get("verdict")), [g["n"] for g in v["reliability"]])
    check(lines, series, expected)
    for name in sorted(os.listdir(DATA)):
        print(name, os.path.getsize(os.path.join(DATA, name)))


if __name__ == "__main__":
    main()
