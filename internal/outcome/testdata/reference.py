#!/usr/bin/env python3
"""Reference of docs/outcomes.md: settling, scoreboard, probability.

Naive on purpose: every figure is worked out from the list of outcomes itself, result by result.
Only the standard library. Written from the rules in docs/outcomes.md alone, by somebody who had not seen the Go code. READING marks where the rules leave a choice.

    reference.py RESULTS.jsonl[.gz] CANDLES.csv|.json[.gz] --now 2026-11-26T10:17:30Z
                 [--cost 0.003] [--source oracle] [--query '{"pair": …, "timeframe": …, "from": …, "to": …, "prompt_version": …, "simulated": false}' …] -o OUT.json[.gz]
    reference.py --selftest
"""
import argparse
import csv
import gzip
import io
import json
import math
import re
import sys
from datetime import date, datetime, timedelta, timezone

STEP = {"1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200, "4h": 14400,
        "6h": 21600, "8h": 28800, "12h": 43200, "1d": 86400, "3d": 259200, "1w": 604800}
DAY = 86400
NS = 10**9
Z95 = 1.959964  # READING: Wilson's "95 %" has no number of its own; the one that it gives for means and for the probability is used
Z_VERDICT = 3.0
UNSET = object()


# ---------------------------------------------------------------- times

def parse_ns(text):
    """RFC 3339 → whole nanoseconds since the epoch (integers: no rounding)."""
    m = re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:\d\d)", text)
    if not m:
        raise ValueError("not an RFC 3339 time: %r" % text)
    offset = "+00:00" if m[4] in "Zz" else m[4]
    at = datetime.fromisoformat(m[1] + "T" + m[2] + offset)
    whole = (at - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(seconds=1)
    return whole * NS + int((m[3] or "0").ljust(9, "0"))


def parse_s(text):
    ns = parse_ns(text)
    if ns % NS:
        raise ValueError("not a whole second: %r" % text)
    return ns // NS


def show(seconds):
    return (datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(seconds):
    return (date(1970, 1, 1) + timedelta(days=seconds // DAY)).isoformat()


# ---------------------------------------------------------------- input

def open_text(path, mode="r"):
    if path.endswith(".gz"):
        if "w" in mode:  # no name and no time in the header: the same data give the same bytes
            return io.TextIOWrapper(gzip.GzipFile("", "wb", 9, open(path, "wb"), mtime=0), encoding="utf-8")
        return gzip.open(path, "rt", encoding="utf-8")
    return open(path, mode, encoding="utf-8", newline="")


def read_results(path):
    with open_text(path) as f:
        return [json.loads(line) for line in f if line.strip()]


def read_candles(path):
    """{(pair, timeframe): {open time in seconds: (open, high, low, close)}}, all of a series as one call.

    CSV: pair,timeframe,time,open,high,low,close,volume. JSON: {"PAIR#TIMEFRAME": [{"time",…}, …]}.
    """
    rows = []
    with open_text(path) as f:
        if path.removesuffix(".gz").endswith(".json"):
            for name, candles in json.load(f).items():
                pair, timeframe = name.rsplit("#", 1)
                rows += [dict(c, pair=pair, timeframe=timeframe) for c in candles]
        else:
            rows = list(csv.DictReader(f))
    series = {}
    for row in rows:
        key = (row["pair"], row["timeframe"])
        t, step = parse_s(row["time"]), STEP[row["timeframe"]]
        o, h, l, c = (float(row[k]) for k in ("open", "high", "low", "close"))
        origin = 4 * DAY if row["timeframe"] == "1w" else 0  # weeks from Monday
        assert (t - origin) % step == 0, "off the grid: %r" % row
        assert 0 < l <= min(o, c) <= max(o, c) <= h, "contradicts itself: %r" % row
        known = series.setdefault(key, {})
        assert known.setdefault(t, (o, h, l, c)) == (o, h, l, c), "two that differ at one time: %r" % row
    return series


def is_market(pair):
    """BASE/QUOTE[:SETTLE] in canonical form. Anything else is the free text of the compatibility route."""
    m = re.fullmatch(r"([A-Z0-9]+(?:[-_][A-Z0-9]+)*)/([A-Z0-9]{1,20})(?::([A-Z0-9]{1,20}))?", pair)
    return bool(m) and len(m[1]) <= 20 and m[1] != m[2]


# ---------------------------------------------------------------- settling one result

def is_right(decision, reference, exit_price, klass):
    if decision == "BUY":
        return exit_price > reference
    if decision == "SELL":
        return exit_price < reference
    return klass == "flat"


def net_return(decision, entry, exit_price, cost):
    if decision == "BUY":
        return exit_price / entry - 1 - cost
    if decision == "SELL":
        return 1 - exit_price / entry - cost
    return 0.0


def window_of(result):
    step = STEP[result["timeframe"]]
    t0 = parse_s(result["candle_time"]) + step
    return step, t0, t0 + 3 * step


def settle(line, series, now, cost, source):
    """The outcome object: settled, unresolved with a reason, or pending with due."""
    r = line["result"]
    step, t0, to = window_of(r)
    answered = parse_ns(r["timestamp"])
    outcome = {"id": r["id"], "pair": r["pair"], "timeframe": r["timeframe"], "candle_time": r["candle_time"],
               "simulated": r["simulated"], "imported": line["imported"], "status": None, "reason": None,
               "from": show(t0), "to": show(to), "reference_price": None, "entry_price": None, "exit_price": None,
               "move": None, "class": None, "cost": None, "decision": r["decision"], "right": None, "net_return": None,
               "raw_decision": r["raw_decision"], "raw_right": None, "votes": [], "source": None, "settled_at": None}

    def unresolved(reason):
        # READING: the object of an unresolved one is not shown: here all of its figures are null
        return dict(outcome, status="unresolved", reason=reason)

    # READING: `due` is taken as `to`, also where that has passed
    pending = {"status": "pending", "due": show(to)}

    # Final by the result itself. READING: so at once, without candles and before `to` has passed.
    if not is_market(r["pair"]):
        return unresolved("no_market")
    if answered >= (t0 + step) * NS:
        return unresolved("late")
    # READING: "has passed" at now == to exactly counts as passed (the third candle has closed then). Before it nothing is
    # said of gaps: what is not due is pending.
    if now < to * NS:
        return pending
    candles = {t: c for t, c in series.get((r["pair"], r["timeframe"]), {}).items() if (t + step) * NS <= now}  # closed by our clock
    # A call whose candles all open at or after `to` says nothing. READING: one without any candle has none of the three and none later.
    if candles and all(t >= to for t in candles):
        return pending
    times = [t0, t0 + step, t0 + 2 * step]
    there = [t in candles for t in times]
    if not all(there):
        # READING: "later" is later than the three (as in "none of the three, and none later"), so that first and third
        # without the second and without anything after stay pending. (The other reading, later than the missing one, says gap.)
        later = any(t >= to for t in candles)
        if later:
            return unresolved("gap")
        if not any(there):
            return unresolved("no_candles")
        return pending
    first, second, third = (candles[t] for t in times)
    price = r["current_price"]
    if abs(price - first[0]) > 0.1 * first[0]:  # on prices, not on a ratio
        return unresolved("price_mismatch")

    # READING: low and high themselves lie within
    reference = price if first[2] <= price <= first[1] else first[0]
    grace_ns = min(120 * NS, step * NS // 5)
    entry = reference if answered <= t0 * NS + grace_ns else second[0]
    exit_price = third[3]
    if exit_price > reference * (1 + cost):
        klass = "up"
    elif exit_price < reference * (1 - cost):
        klass = "down"
    else:
        klass = "flat"
    votes = [{"provider": v["provider"], "model": v["model"], "decision": v["decision"], "confidence": v["confidence"],
              "right": is_right(v["decision"], reference, exit_price, klass),
              "net_return": net_return(v["decision"], entry, exit_price, cost)} for v in r["provider_responses"]]
    return dict(outcome, status="settled", reference_price=reference, entry_price=entry, exit_price=exit_price,
                move=exit_price / reference - 1, **{"class": klass}, cost=cost,
                right=is_right(r["decision"], reference, exit_price, klass),
                net_return=net_return(r["decision"], entry, exit_price, cost),
                raw_right=is_right(r["raw_decision"], reference, exit_price, klass),
                votes=votes, source=source, settled_at=show(now // NS))


# ---------------------------------------------------------------- arithmetic

def mean_of(values):
    return math.fsum(values) / len(values) if values else None


def share(part, whole):
    return part / whole if whole else None


def n_eff_of(windows):
    """windows: for each vote, the window that it is in. (Σ m)² / Σ m²."""
    if not windows:
        return None  # 0/0
    m = [windows.count(w) for w in sorted(set(windows))]
    return sum(m) ** 2 / sum(k * k for k in m)


def wilson(p, n, z):
    if p is None or not n:
        return None, None
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def clustered(values, blocks, z):
    """Mean, low, high of values; blocks: the block of each.

    READING: "Null below 10 blocks" is the interval; the mean can be formed and stays.
    D is of the values that the mean is of, not of the board.
    """
    n = len(values)
    if n == 0:
        return None, None, None, 0
    mean = math.fsum(values) / n
    names = sorted(set(blocks))
    d = len(names)
    if d < 10:
        return mean, None, None, d
    squares = []
    for name in names:
        mine = [v for v, b in zip(values, blocks) if b == name]
        squares.append((math.fsum(mine) - len(mine) * mean) ** 2)
    se = math.sqrt(math.fsum(squares) * d / (d - 1)) / n
    half = z * math.sqrt((d - 1) / (d - 3)) * se
    return mean, mean - half, mean + half, d


def cell_of(confidence):
    return math.floor(100 * confidence + 0.5)


def logit_of_cell(cell):
    c = min(max(cell / 100, 0.02), 0.98)
    return math.log(c / (1 - c))


def sigma(x):
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    return math.exp(x) / (1 + math.exp(x))


# ---------------------------------------------------------------- what a voter said, and what became of it

def opinions(items, voter, model):
    """One entry a settled result in which the voter has an opinion; early ones are left out for providers.

    items: (line, outcome) of settled results.
    """
    said = []
    for line, o in items:
        r = line["result"]
        step, t0, _ = window_of(r)
        entry = {"line": line, "outcome": o, "window": t0 // (3 * step), "block": t0 // max(DAY, 6 * step),
                 "rise": o["exit_price"] > o["reference_price"]}
        if voter == "consensus":
            p = r.get("probability")
            entry.update(decision=r["raw_decision"], confidence=r["confidence"], right=o["raw_right"],
                         net=o["net_return"], cost_usd=r.get("total_cost_usd"), published=p and p.get("value"))
            said.append(entry)
            continue
        if r["decided_early"]:
            continue
        for v, ov in zip(r["provider_responses"], o["votes"]):
            if v["provider"] == voter and v["model"] == model:
                entry.update(decision=v["decision"], confidence=v["confidence"], right=ov["right"],
                             net=ov["net_return"], cost_usd=v["cost_usd"], published=None)
                said.append(entry)
    return said


def directional_of(said):
    return [e for e in said if e["decision"] in ("BUY", "SELL")]


def reliability(directional, n_eff):
    n = len(directional)
    groups, group = [], []
    # READING: cells are not clipped here (0…100); clipping belongs to the fit
    for cell in sorted({cell_of(e["confidence"]) for e in directional}):
        group += [e for e in directional if cell_of(e["confidence"]) == cell]
        if 10 * len(group) >= n:
            groups.append(group)
            group = []
    if group:
        groups[-1] += group
    rows = []
    for g in groups:
        rate = sum(e["right"] for e in g) / len(g)
        low, high = wilson(rate, n_eff * len(g) / n, Z95)
        rows.append({"n": len(g), "stated_mean": mean_of([e["confidence"] for e in g]), "hit_rate": rate, "low": low, "high": high})
    return rows


def without(result, provider):
    for c in result["explanation"]["contributions"]:
        if c["provider"] == provider:
            return c["decision_without"]
    return None


def value_row(said, provider, cost):
    differences, blocks, changed = [], [], 0
    for e in said:
        r, o = e["line"]["result"], e["outcome"]
        other = without(r, provider) or "HOLD"  # null is 0, as HOLD is
        differences.append(o["net_return"] - net_return(other, o["entry_price"], o["exit_price"], o["cost"]))
        blocks.append(e["block"])
        changed += other != r["decision"]
    mean, low, high, d = clustered(differences, blocks, Z95)
    _, low3, high3, _ = clustered(differences, blocks, Z_VERDICT)
    known = mean_of([e["cost_usd"] for e in said if e["cost_usd"] is not None])
    if len(differences) < 100 or d < 10:
        verdict = "too_few"
    elif low3 > 0:
        verdict = "helps"
    elif high3 < 0:
        verdict = "hurts"
    else:
        verdict = "not_distinguishable"
    return {"results": len(differences), "changed": changed, "mean": mean, "low": low, "high": high,
            "break_even_notional_usd": known / mean if known is not None and low is not None and low > 0 else None,
            "verdict": verdict}


def voter_row(items, voter, model, cost):
    said = opinions(items, voter, model)
    directional = directional_of(said)
    holds = [e for e in said if e["decision"] == "HOLD"]
    n = len(directional)
    buys = sum(e["decision"] == "BUY" for e in directional)
    hits = sum(e["right"] for e in directional)
    hit_rate = share(hits, n)
    n_eff = n_eff_of([e["window"] for e in directional])
    low, high = wilson(hit_rate, n_eff, Z95)
    low3, high3 = wilson(hit_rate, n_eff, Z_VERDICT)
    q, u = share(buys, n), share(sum(e["rise"] for e in directional), n)
    chance = None if n == 0 else q * u + (1 - q) * (1 - u)
    published = [e for e in directional if e["published"] is not None]
    nets, blocks = [e["net"] for e in said], [e["block"] for e in said]
    mean, net_low, net_high, d = clustered(nets, blocks, Z95)
    _, net_low3, _, _ = clustered(nets, blocks, Z_VERDICT)
    # READING: "below 10 blocks" are the blocks of the voter's own results (HOLDs too), those of net_return
    if n_eff is None or n_eff < 100 or d < 10:
        verdict = "too_few"
    elif net_low3 > 0:
        verdict = "beats_costs"
    elif low3 > max(0.5, chance):
        verdict = "better_than_chance"
    elif high3 < min(0.5, chance):
        verdict = "worse_than_chance"
    else:
        verdict = "not_distinguishable"
    row = {"voter": voter, "model": model, "directional": n, "buys": buys, "holds": len(holds),
           "hold_hits": sum(e["right"] for e in holds),
           # READING: `early` counts settled results, as every figure of the row does
           "early": 0 if voter == "consensus" else sum(
               v["provider"] == voter and v["model"] == model
               for line, _ in items if line["result"]["decided_early"] for v in line["result"]["provider_responses"]),
           "hits": hits, "hit_rate": hit_rate, "low": low, "high": high, "n_eff": n_eff, "chance": chance,
           "stated_confidence_mean": mean_of([e["confidence"] for e in directional]),
           "brier_stated": mean_of([(e["confidence"] - e["right"]) ** 2 for e in directional]),
           # READING: among directional raw decisions (a raw HOLD has no published value anyway)
           "brier_published": mean_of([(e["published"] - e["right"]) ** 2 for e in published]),
           "published": len(published),
           "net_return": {"mean": mean, "low": net_low, "high": net_high},
           # READING: over all of the row's results or votes, HOLDs too
           "cost_usd_mean": mean_of([e["cost_usd"] for e in said if e["cost_usd"] is not None]),
           "verdict": verdict, "reliability": reliability(directional, n_eff)}
    if voter != "consensus":
        row["value"] = value_row(said, voter, cost)
    return row


def voters_of(items):
    """Consensus, then each provider and model that voted in a settled result (an early one too)."""
    # READING: a board without settled results has the row of consensus, of zeros and nulls
    models = {(v["provider"], v["model"]) for line, _ in items for v in line["result"]["provider_responses"]}
    return [("consensus", None)] + sorted(models)


# ---------------------------------------------------------------- the scoreboard

def board(timeframe, chosen, cost):
    settled = [(l, o) for l, o in chosen if o["status"] == "settled"]
    reasons = [o["reason"] for _, o in chosen if o["status"] == "unresolved"]
    outcomes = [o for _, o in settled]
    mean_cost = mean_of([o["cost"] for o in outcomes])
    mean_abs_move = mean_of([abs(o["move"]) for o in outcomes])
    blocks = set()
    for line, _ in settled:
        step, t0, _ = window_of(line["result"])
        blocks.add(t0 // max(DAY, 6 * step))
    return {"timeframe": timeframe, "settled": len(settled), "imported": sum(o["imported"] for o in outcomes),
            "unresolved": {k: reasons.count(k) for k in sorted(set(reasons))},
            "pending": sum(o["status"] == "pending" for _, o in chosen), "blocks": len(blocks), "cost": mean_cost,
            "mean_abs_move": mean_abs_move,
            "up_share": share(sum(o["exit_price"] > o["reference_price"] for o in outcomes), len(outcomes)),
            "break_even_hit_rate": 0.5 + mean_cost / (2 * mean_abs_move) if mean_abs_move else None,
            "always_buy": mean_of([net_return("BUY", o["entry_price"], o["exit_price"], o["cost"]) for o in outcomes]),
            "voters": [voter_row(settled, voter, model, cost) for voter, model in voters_of(settled)]}


def default_days(now):
    """from and to: `to` tomorrow, `from` 365 days before it (as in docs/outcomes.md)."""
    today = date(1970, 1, 1) + timedelta(days=now // NS // DAY)
    tomorrow = today + timedelta(days=1)
    return (tomorrow - timedelta(days=365)).isoformat(), tomorrow.isoformat()


def choose(pairs, simulated, prompt_version, frm, to, timeframe=None, pair=None):
    """Results whose day, that of the window's `from`, is in [frm, to). Shared ones are in no figure."""
    # READING: pending and unresolved ones are of the same day, and shared ones are not among them either
    chosen = []
    for line, o in pairs:
        r = line["result"]
        _, t0, _ = window_of(r)
        if (r["simulated"] == simulated and r["prompt_version"] == prompt_version and r.get("shared_from") is None
                and frm <= day_of(t0) < to and timeframe in (None, r["timeframe"]) and pair in (None, r["pair"])):
            chosen.append((line, o))
    return chosen


def scoreboard(pairs, now, cost, prompt_version, simulated=False, frm=None, to=None, timeframe=None, pair=None):
    default_from, default_to = default_days(now)
    frm, to = frm or default_from, to or default_to
    chosen = choose(pairs, simulated, prompt_version, frm, to, timeframe, pair)
    names = [t for t in STEP if any(l["result"]["timeframe"] == t for l, _ in chosen)]  # shortest first
    return {"from": frm, "to": to, "prompt_version": prompt_version, "simulated": simulated,
            "boards": [board(t, [(l, o) for l, o in chosen if l["result"]["timeframe"] == t], cost) for t in names]}


# ---------------------------------------------------------------- the probability

PRIOR_A, PRIOR_B = 0.2, 0.15


def fit_of(directional):
    """a, b by Newton's method from 0, 0. directional: entries of opinions()."""
    n = len(directional)
    if n == 0:
        return None
    x = [logit_of_cell(cell_of(e["confidence"])) for e in directional]
    y = [1.0 if e["right"] else 0.0 for e in directional]
    m = math.fsum(x) / n
    n_eff = n_eff_of([e["window"] for e in directional])
    weight = n_eff / n

    def derivatives(a, b):
        p = [sigma(a + b * (xi - m)) for xi in x]
        g = (weight * math.fsum(yi - pi for yi, pi in zip(y, p)) - a / PRIOR_A**2,
             weight * math.fsum((yi - pi) * (xi - m) for xi, yi, pi in zip(x, y, p)) - b / PRIOR_B**2)
        haa = weight * math.fsum(pi * (1 - pi) for pi in p) + 1 / PRIOR_A**2
        hab = weight * math.fsum(pi * (1 - pi) * (xi - m) for xi, pi in zip(x, p))
        hbb = weight * math.fsum(pi * (1 - pi) * (xi - m) ** 2 for xi, pi in zip(x, p)) + 1 / PRIOR_B**2
        det = haa * hbb - hab * hab
        return g, ((hbb / det, -hab / det), (-hab / det, haa / det))  # gradient, inverse of the negative Hessian

    a = b = 0.0
    for _ in range(100):
        g, inverse = derivatives(a, b)
        da = inverse[0][0] * g[0] + inverse[0][1] * g[1]
        db = inverse[1][0] * g[0] + inverse[1][1] * g[1]
        a, b = a + da, b + db
        if abs(da) < 1e-10 and abs(db) < 1e-10:
            break
    else:
        raise ArithmeticError("Newton's method did not end")
    _, inverse = derivatives(a, b)
    return {"a": a, "b": b, "m": m, "mean": m, "n": n, "n_eff": n_eff, "h_inv": [list(inverse[0]), list(inverse[1])]}


def probability_at(fit, cell):
    x = logit_of_cell(cell) - fit["m"]
    h = fit["h_inv"]
    eta = fit["a"] + fit["b"] * x
    half = Z95 * math.sqrt(h[0][0] + 2 * x * h[0][1] + x * x * h[1][1])
    return {"value": sigma(eta), "low": sigma(eta - half), "high": sigma(eta + half)}


def fits(pairs, now, cost, prompt_version, simulated):
    # READING: "the last 365 days" are the days of the scoreboard's default
    frm, to = default_days(now)
    chosen = choose(pairs, simulated, prompt_version, frm, to)
    rows = []
    for timeframe in STEP:
        mine = [(l, o) for l, o in chosen if l["result"]["timeframe"] == timeframe]
        settled = [(l, o) for l, o in mine if o["status"] == "settled"]
        if not mine:
            continue
        break_even = board(timeframe, mine, cost)["break_even_hit_rate"]
        for voter, model in voters_of(settled):
            fit = fit_of(directional_of(opinions(settled, voter, model)))
            if fit is None:
                continue
            rows.append({"simulated": simulated, "prompt_version": prompt_version, "timeframe": timeframe,
                         "voter": voter, "model": model, **fit, "break_even": break_even, "published": fit["n_eff"] >= 100,
                         "cells": {str(cell): probability_at(fit, cell) for cell in range(50, 101)}})
    return rows


# ---------------------------------------------------------------- all of it

def reference(lines, series, now_text, cost, source="oracle", queries=()):
    now = parse_ns(now_text)
    pairs = [(line, settle(line, series, now, cost, source)) for line in lines]
    kinds = sorted({(l["result"]["simulated"], l["result"]["prompt_version"]) for l in lines})
    answered = []
    for q in queries:
        answered.append({"query": q, "scoreboard": scoreboard(
            pairs, now, cost, q["prompt_version"], q.get("simulated", False), q.get("from"), q.get("to"), q.get("timeframe"), q.get("pair"))})
    return {"now": now_text, "cost": cost, "outcomes": {l["result"]["id"]: o for l, o in pairs},
            "scoreboards": [scoreboard(pairs, now, cost, version, simulated) for simulated, version in kinds],
            "queries": answered,
            "fits": [row for simulated, version in kinds for row in fits(pairs, now, cost, version, simulated)]}


# ---------------------------------------------------------------- hand-made checks

def selftest():
    def near(got, want, tolerance=1e-12):
        assert got is not None and abs(got - want) <= tolerance, (got, want)

    assert parse_ns("2026-11-23T05:00:01.250Z") == parse_ns("2026-11-23T06:00:01.25+01:00")
    assert show(parse_s("2026-11-23T04:00:00Z")) == "2026-11-23T04:00:00Z"
    assert default_days(parse_ns("2026-11-24T10:00:00Z")) == ("2025-11-25", "2026-11-25")  # the example of docs/outcomes.md
    for pair, market in {"BTC/USDT": 1, "XYZ-TSLA/USDC:USDC": 1, "1000PEPE/USDT": 1, "Will Bitcoin reach $100k?": 0, "Yes/no?": 0, "BTC": 0, "A/A": 0}.items():
        assert is_market(pair) == bool(market), pair

    # the example of docs/outcomes.md of an outcome
    def line(**change):
        r = {"id": "x", "pair": "BTC/USDT", "timeframe": "1h", "candle_time": "2026-11-23T04:00:00Z", "timestamp": "2026-11-23T05:00:10Z",
             "current_price": 50010, "decision": "BUY", "raw_decision": "BUY", "confidence": 0.85, "decided_early": False, "simulated": False,
             "prompt_version": "p", "total_cost_usd": 0.004, "provider_responses": [
                 {"provider": "anthropic", "model": "m", "decision": "BUY", "confidence": 0.85, "cost_usd": None}],
             "explanation": {"contributions": [{"provider": "anthropic", "decision_without": None}]}}
        r.update(change)
        return {"result": r, "imported": False}
    t = parse_s("2026-11-23T05:00:00Z")
    candles = {t - 3600: (49990., 50020., 49980., 50000.), t: (50000., 50100., 49900., 50050.), t + 3600: (50060., 50200., 50000., 50100.),
               t + 7200: (50100., 50400., 50100., 50310.), t + 10800: (50310., 50400., 50300., 50350.)}
    key = ("BTC/USDT", "1h")
    later = parse_ns("2026-11-23T09:30:00Z")

    def run(candles=candles, now=later, **change):
        return settle(line(**change), {key: candles}, now, 0.003, "test")
    o = run()
    assert (o["status"], o["class"], o["right"], o["from"], o["to"]) == ("settled", "up", True, "2026-11-23T05:00:00Z", "2026-11-23T08:00:00Z")
    near(o["move"], 0.005998800239952), near(o["net_return"], 0.002998800239952)
    assert run(timestamp="2026-11-23T05:02:00Z")["entry_price"] == 50010
    assert run(timestamp="2026-11-23T05:02:00.001Z")["entry_price"] == 50060
    assert run(timestamp="2026-11-23T05:59:59.999Z")["status"] == "settled"
    assert run(timestamp="2026-11-23T06:00:00Z")["reason"] == "late"
    assert run(timestamp="2026-11-23T06:00:00Z", pair="Will it?")["reason"] == "no_market"
    assert run(current_price=50100)["reference_price"] == 50100 and run(current_price=50100.01)["reference_price"] == 50000
    assert run(current_price=55000)["status"] == "settled" and run(current_price=55000.01)["reason"] == "price_mismatch"
    assert run(current_price=45000)["status"] == "settled" and run(current_price=44999.99)["reason"] == "price_mismatch"
    assert run(now=parse_ns("2026-11-23T07:59:59Z")) == {"status": "pending", "due": "2026-11-23T08:00:00Z"}
    def less(*gone):
        return {k: v for k, v in candles.items() if k not in [t + 3600 * g for g in gone]}
    for gone, want in [((0,), "gap"), ((1,), "gap"), ((2,), "gap"), ((0, 1, 2), "gap"), ((0, 1, 2, 3), "no_candles"), ((1, 2, 3), "pending"),
                       ((2, 3), "pending"), ((-1, 0, 1, 2), "pending"), ((-1, 0), "gap"), ((3,), "settled"), ((1, 3), "pending")]:
        o = run(candles=less(*gone))
        assert want in (o["status"], o.get("reason")), (gone, o)
    assert run(candles=less(0), current_price=90000)["reason"] == "gap"
    assert run(candles={})["reason"] == "no_candles"
    # 1000·1.003 is 1002.9999999999999 in float64, 1000·0.997 is 997: the comparison, literally
    def exact(exit_price, decision):
        c = {t - 3600: (1000.,) * 4, t: (1000.,) * 4, t + 3600: (1000.,) * 4, t + 7200: (1000., max(1000., exit_price), min(1000., exit_price), exit_price)}
        return run(candles=c, current_price=1000, decision=decision, raw_decision=decision)
    assert exact(1003., "HOLD")["class"] == "up" and exact(997., "HOLD")["class"] == "flat" and exact(996.999, "HOLD")["class"] == "down"
    assert not exact(1000., "BUY")["right"] and not exact(1000., "SELL")["right"] and exact(1000., "HOLD")["right"]
    near(exact(1010., "SELL")["net_return"], -0.013), near(exact(1010., "BUY")["net_return"], 0.007)
    assert exact(1010., "HOLD")["net_return"] == 0
    o = run(decision="HOLD", current_price=50010)
    assert (o["right"], o["net_return"], o["raw_right"]) == (False, 0, True)
    five = dict(timeframe="5m", candle_time="2026-11-23T04:55:00Z")
    c5 = {t + 300 * i: (100. + i, 100. + i, 100. + i, 100. + i) for i in range(-1, 5)}
    def late5(at):
        return settle(line(current_price=100, timestamp=at, **five), {("BTC/USDT", "5m"): c5}, later, 0.003, "")["entry_price"]
    assert late5("2026-11-23T05:01:00Z") == 100 and late5("2026-11-23T05:01:00.001Z") == 101

    # arithmetic
    low, high = wilson(0.5, 10, Z95)  # statsmodels: 0.236593, 0.763407
    near(low, 0.236593, 1e-6), near(high, 0.763407, 1e-6)
    low, high = wilson(0.55, 100, Z95)
    near(low, 0.4524, 1e-4), near(high, 0.6439, 1e-4)
    assert wilson(0., 10, Z95)[0] < 1e-12 and wilson(None, None, 3) == (None, None)
    assert n_eff_of([]) is None and n_eff_of([1, 1, 1, 2, 2, 2]) == 2 and n_eff_of([1, 1, 1, 2]) == 16 / 10
    near(0.5 + 0.003 / (2 * 0.0061), 0.7459, 5e-5)
    # ten blocks of one each: SE is the ordinary standard error of a mean; √(9/7)
    values = [float(i) for i in range(10)]
    mean, low, high, d = clustered(values, list(range(10)), 1)
    se = math.sqrt(sum((v - 4.5) ** 2 for v in values) / 9) / math.sqrt(10)
    assert d == 10
    near(mean, 4.5), near(high - mean, se * math.sqrt(9 / 7)), near(mean - low, high - mean)
    assert clustered(values, [min(i, 8) for i in range(10)], 1) == (4.5, None, None, 9)
    # each twice in its block: the same interval
    twice = clustered(values * 2, list(range(10)) * 2, 1)
    near(twice[1], low), near(twice[2], high)
    assert cell_of(0.855) in (85, 86) and cell_of(1) == 100 and cell_of(0.004) == 0 and cell_of(0.495) == 50
    assert logit_of_cell(100) == logit_of_cell(98) and logit_of_cell(50) == 0 and logit_of_cell(0) == logit_of_cell(2)

    # reliability: 20 votes, a tenth is 2
    d20 = [{"confidence": c, "right": False} for c in [.5] + [.6] * 3 + [.7] * 2 + [.8] * 12 + [.9] + [.95]]
    assert [g["n"] for g in reliability(d20, 20.)] == [4, 2, 12, 2]
    d21 = d20[:-1] + [{"confidence": .8, "right": True}]
    groups = reliability(d21, 10.)
    assert [g["n"] for g in groups] == [4, 2, 14]
    near(groups[2]["hit_rate"], 1 / 14), near(groups[2]["stated_mean"], (13 * .8 + .9) / 14)
    near(groups[0]["high"], wilson(0., 2., Z95)[1])

    # fit: all alike has b = 0 and a closed condition for a; the gradient vanishes and no neighbour is better
    alike = [{"confidence": .9, "right": i % 3 > 0, "window": i} for i in range(300)]
    f = fit_of(alike)
    near(f["b"], 0), near(300 * (2 / 3 - sigma(f["a"])) - f["a"] / 0.04, 0, 1e-6), near(f["h_inv"][1][1], 0.0225)
    near(f["h_inv"][0][0], 1 / (300 * sigma(f["a"]) * (1 - sigma(f["a"])) + 25), 1e-12)
    near(probability_at(f, 90)["value"], sigma(f["a"]))
    mixed = [{"confidence": (50 + i * 7 % 51) / 100, "right": (i * 7 % 51) + 30 > i * 13 % 80, "window": i // 2} for i in range(160)]
    f = fit_of(mixed)
    assert f["n_eff"] == 80

    def objective(a, b):
        total = 0
        for e in mixed:
            p = sigma(a + b * (logit_of_cell(cell_of(e["confidence"])) - f["m"]))
            total += math.log(p if e["right"] else 1 - p)
        return total * f["n_eff"] / f["n"] - a * a / (2 * .2 ** 2) - b * b / (2 * .15 ** 2)
    best, h = objective(f["a"], f["b"]), 1e-4
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            assert objective(f["a"] + i * h, f["b"] + j * h) <= best
    A, B = f["a"], f["b"]
    haa = -(objective(A + h, B) - 2 * best + objective(A - h, B)) / h**2
    hbb = -(objective(A, B + h) - 2 * best + objective(A, B - h)) / h**2
    hab = -(objective(A + h, B + h) - objective(A + h, B - h) - objective(A - h, B + h) + objective(A - h, B - h)) / (4 * h * h)
    i = f["h_inv"]
    near(i[0][0] * haa + i[0][1] * hab, 1, 1e-4), near(i[1][0] * haa + i[1][1] * hab, 0, 1e-4), near(i[1][0] * hab + i[1][1] * hbb, 1, 1e-4)

    # a small board, by hand: two results of one window, one each right and wrong
    lines = [line(id="1"), line(id="2", decision="HOLD", raw_decision="SELL", total_cost_usd=0.002, probability={"value": 0.6}),
             line(id="3", shared_from="1"), line(id="4", timestamp="2026-11-23T07:00:00Z"), line(id="5", decided_early=True)]
    pairs = [(l, settle(l, {key: candles}, later, 0.003, "t")) for l in lines]
    s = scoreboard(pairs, later, 0.003, "p")
    b, = s["boards"]
    c, p = b["voters"]
    assert (b["settled"], b["unresolved"], b["pending"], b["blocks"]) == (3, {"late": 1}, 0, 1)
    assert (c["directional"], c["buys"], c["hits"], c["n_eff"], c["published"]) == (3, 2, 2, 1, 1)
    near(c["chance"], 2 / 3), near(c["brier_published"], 0.36), near(c["cost_usd_mean"], 0.01 / 3)
    near(c["net_return"]["mean"], 2 * 0.002998800239952 / 3), near(c["brier_stated"], (2 * 0.15**2 + 0.85**2) / 3)
    assert c["net_return"]["low"] is None and c["verdict"] == "too_few" and "value" not in c
    assert (p["directional"], p["early"], p["hits"], p["cost_usd_mean"], p["brier_published"]) == (2, 1, 2, None, None)
    assert (p["value"]["results"], p["value"]["changed"], p["value"]["verdict"]) == (2, 1, "too_few")
    near(p["value"]["mean"], 0.002998800239952 / 2)
    print("selftest: ok")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results", nargs="?")
    parser.add_argument("candles", nargs="?")
    parser.add_argument("--now")
    parser.add_argument("--cost", type=float, default=0.003)
    parser.add_argument("--source", default="oracle")
    parser.add_argument("--query", action="append", default=[], type=json.loads)
    parser.add_argument("-o", "--out")
    parser.add_argument("--selftest", action="store_true")
    args = parser.parse_args()
    if args.selftest:
        return selftest()
    answer = reference(read_results(args.results), read_candles(args.candles), args.now, args.cost, args.source, args.query)
    out = open_text(args.out, "w") if args.out else sys.stdout
    json.dump(answer, out, separators=(",", ":"), allow_nan=False)
    out.write("\n")
    if args.out:
        out.close()


if __name__ == "__main__":
    main()
