"""Candles and exported results for backtests, in the files that freqtrade and the service write."""

import csv
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

from service import SECONDS, consensus

FIRST = datetime(2026, 11, 2, tzinfo=timezone.utc)
STEP = timedelta(minutes=5)

# As `thalas export` writes them; test_backtest holds them against the binary.
COLUMNS = [
    "id", "timestamp", "candle_time", "valid_until", "pair", "timeframe", "current_price", "decision", "raw_decision", "hold_reason",
    "confidence", "agreement_score", "risk_level", "suggested_stop_loss", "suggested_take_profit", "status", "simulated", "total_cost_usd",
]  # fmt: skip


def rising(count):
    """Prices that rise by one with each candle: a rate names its candle."""
    return [50000.0 + n for n in range(count)]


def write_candles(folder, opens, pair="BTC/USDT", timeframe="5m", first=FIRST):
    """Each candle opens at its price and closes at the next one's."""
    data = Path(folder) / "data" / "binance"
    data.mkdir(parents=True, exist_ok=True)
    closes = opens[1:] + opens[-1:]
    rows = [
        [int((first.timestamp() + n * SECONDS[timeframe]) * 1000), at, max(at, close), min(at, close), close, 10.0]
        for n, (at, close) in enumerate(zip(opens, closes))
    ]
    (data / f"{pair.replace('/', '_')}-{timeframe}.json").write_text(json.dumps(rows))


def signals(described, delay=61.25):
    """Results of these decisions about these candles (by number), made so many seconds after their close."""
    items = []
    for number, (decision, candle, changes) in enumerate(described, 1):
        at = FIRST + candle * STEP
        made = (at + STEP + timedelta(seconds=delay)).isoformat().replace("+00:00", "Z")
        price = 50000.0 + candle + 1
        item = consensus(
            "5m", at, id=f"019ab10f-6b62-7cc0-8000-{number:012x}", decision=decision, raw_decision=decision, current_price=price,
            suggested_stop_loss=None, suggested_take_profit=None, timestamp=made,
        )  # fmt: skip
        items.append(item | changes)
    return items[::-1]  # newest first


def write_csv(path, items):
    def cell(value):
        return "" if value is None else value if isinstance(value, str) else json.dumps(value)

    with Path(path).open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows([cell(item.get(name)) for name in COLUMNS] for item in items)


def write_lines(path, items):
    Path(path).write_text("".join(json.dumps(item) + "\n" for item in items))
