"""What the checker of the OpenAPI document can't know of our formats."""

import base64
import hashlib
import json
import re

import schemathesis
from hypothesis import strategies as st

PAIRS = ["BTC/USDT", "eth-usdt", "SOL_USDC", "BTCUSDT", "BINANCE:BTCUSDT", "BTC/USDT:USDT", "BTCUSDT.P"]
schemathesis.openapi.format("pair", st.sampled_from(PAIRS))
schemathesis.openapi.format("market", st.sampled_from(PAIRS + ["Will Bitcoin reach $100k?", "x"]))
schemathesis.openapi.format("date-time", st.datetimes().map(lambda at: at.replace(year=1970 + at.year % 230, day=1).isoformat() + "Z"))
CURSORS = ["019ab10f-6b62-7cc0-8000-5a3c0a1f9e21", "2026-11-23T04:55:00Z#019ab10f-6b62-7cc0-8000-5a3c0a1f9e21"]
schemathesis.openapi.format("cursor", st.sampled_from([base64.urlsafe_b64encode(c.encode()).decode().rstrip("=") for c in CURSORS]))


@schemathesis.hook
def filter_case(context, case):
    """Numbers such as 5e-324 are over the limit when 2,000 of them are written out,
    and candles at random times are in no order."""
    if not isinstance(case.body, dict):
        return True
    market = case.body.get("market_data")
    candles = market.get("recent_candles") if isinstance(market, dict) else None
    if isinstance(candles, list) and len(candles) > 1 and any(isinstance(c, dict) and "time" in c for c in candles):
        return False
    return len(json.dumps(case.body, default=str)) <= 20_000


@schemathesis.hook
def before_call(context, case, kwargs):
    """The same key with another body is refused, so each body has a key of its own."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[!-~]{1,255}", key):
        body = json.dumps(case.body, default=repr)
        case.headers["Idempotency-Key"] = hashlib.sha256((key + body).encode("utf-8", "surrogatepass")).hexdigest()
