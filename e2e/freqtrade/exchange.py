"""A Binance spot market on loopback, as much of it as freqtrade reads in a dry run."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MILLISECONDS = {"1m": 60_000, "5m": 300_000, "1h": 3_600_000, "1d": 86_400_000, "3d": 3 * 86_400_000, "1w": 7 * 86_400_000}
MONDAY = 4 * 86_400_000  # 1970-01-05, where weeks begin


class Exchange:
    """Serves candles up to now, all at `price`, and an order book around it. `price` may be changed."""

    def __init__(self, pairs=("BTC/USDT", "ETH/USDT"), price=50000.0):
        self.pairs, self.price = pairs, price
        exchange = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                answer = exchange.answer(parts.path.rsplit("/api/v3/", 1)[-1], query)
                body = json.dumps(answer if answer is not None else {"code": -1, "msg": "not served"}).encode()
                self.send_response(200 if answer is not None else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/v3"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path, query):
        if path == "exchangeInfo":
            return {"timezone": "UTC", "serverTime": int(time.time() * 1000), "rateLimits": [], "symbols": [market(pair) for pair in self.pairs]}
        if path == "time":
            return {"serverTime": int(time.time() * 1000)}
        if path == "klines":
            return self.klines(query)
        if path == "depth":
            return {"lastUpdateId": 1, "bids": [[str(self.price), "1000"]], "asks": [[str(self.price), "1000"]]}
        if path in ("ticker/24hr", "ticker/bookTicker", "ticker/price"):
            tickers = [self.ticker(pair) for pair in self.pairs]
            return next((one for one in tickers if one["symbol"] == query["symbol"]), None) if "symbol" in query else tickers
        return None

    def klines(self, query):
        step = MILLISECONDS[query["interval"]]
        offset = MONDAY if query["interval"] == "1w" else 0
        last = (int(time.time() * 1000) - offset) // step * step + offset  # the one that is forming
        first = last - (int(query.get("limit", 500)) - 1) * step
        if "startTime" in query:
            first = max(first, -((offset - int(query["startTime"])) // step) * step + offset)
        price = str(self.price)
        return [[at, price, price, price, price, "10", at + step - 1, "500000", 5, "5", "250000", "0"] for at in range(first, last + 1, step)]

    def ticker(self, pair):
        price, now = str(self.price), int(time.time() * 1000)
        return {
            "symbol": pair.replace("/", ""), "price": price, "lastPrice": price, "bidPrice": price, "bidQty": "1000", "askPrice": price,
            "askQty": "1000", "openPrice": price, "highPrice": price, "lowPrice": price, "volume": "1000", "quoteVolume": "50000000",
            "openTime": now - 86_400_000, "closeTime": now, "count": 1,
        }  # fmt: skip


def market(pair):
    base, quote = pair.split("/")
    return {
        "symbol": base + quote, "status": "TRADING", "baseAsset": base, "quoteAsset": quote, "baseAssetPrecision": 8, "quoteAssetPrecision": 8,
        "quotePrecision": 8, "orderTypes": ["LIMIT", "MARKET", "STOP_LOSS_LIMIT"], "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
        "permissions": ["SPOT"], "permissionSets": [["SPOT"]],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
            {"filterType": "NOTIONAL", "minNotional": "5", "maxNotional": "9000000"},
        ],
    }  # fmt: skip
