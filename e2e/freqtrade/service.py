"""The service as the strategy meets it: the real binary, and one that answers whatever a test says."""

import hashlib
import json
import os
import re
import subprocess
import threading
import urllib.request
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BINARY = os.environ.get("THALAS_BINARY", "bin/thalas")
KEY = "planted-key-of-the-bot"
SECONDS = {"5m": 300, "1d": 86400, "3d": 3 * 86400, "1w": 7 * 86400}


class Binary:
    """`thalas serve` on its own store. Its models are `thalas simulate` at the end of ordinary
    endpoints, so results are not marked as simulated, unless simulate is asked for."""

    def __init__(self, folder, simulate=False):
        self.processes = []
        self.environment = environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "DATA_FILE": f"{folder}/thalas.db",
            "API_KEYS": hashlib.sha256(KEY.encode()).hexdigest(),
        }  # fmt: skip
        if simulate:
            serve = [BINARY, "serve", "--listen", "127.0.0.1:0", "--simulate", "auto"]
        else:
            lines, _ = self.start([BINARY, "simulate"], environment, r"(Simulated providers)")
            environment.update(line.removeprefix("export ").strip().split("=", 1) for line in lines if line.startswith("export "))
            serve = [BINARY, "serve", "--listen", "127.0.0.1:0"]
        _, self.url = self.start(serve, environment, r"(http://127\.0\.0\.1:\d+)")

    def start(self, command, environment, ready):
        """Starts a process and reads what it says until a line has what ready looks for."""
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.processes.append(process)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if found := re.search(ready, line):
                # Nobody reads on: the pipe has to be emptied, or the process stops at its next line.
                threading.Thread(target=process.stdout.read, daemon=True).start()
                return lines, found[1]
        raise AssertionError(f"{command} ended: {''.join(lines)}")

    def ask(self, pair, timeframe, price, candle_time, direction):
        """One question about candles that rise or fall up to candle_time; the simulated models follow them."""
        sign = {"BUY": 1, "SELL": -1, "HOLD": 0}[direction]
        candles = []
        for back in range(29, -1, -1):
            close = price * (1 - sign * 0.1 * back / 30)
            at = candle_time - timedelta(seconds=back * SECONDS[timeframe])
            candles.append(
                {"time": at.isoformat(), "open": close, "high": close * 1.004, "low": close * 0.996, "close": close, "volume": 10}
            )
        question = {
            "pair": pair, "timeframe": timeframe, "current_price": price,
            "market_data": {"rsi": 50 - 25 * sign, "recent_candles": candles},
        }  # fmt: skip
        request = urllib.request.Request(
            self.url + "/v1/consensus", json.dumps(question).encode(), {"Content-Type": "application/json", "x-api-key": KEY}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def close(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)


class Answers:
    """Answers every GET by `answer(handler)`, and counts. Sends nothing by itself."""

    def __init__(self, answer):
        self.answer, self.requests, self.headers = answer, [], []
        answers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                answers.requests.append(self.path)
                answers.headers.append(dict(self.headers))
                try:
                    answers.answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the strategy went away, as it should

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def send(body, status=200, headers=()):
    """An answer with this body: bytes, text, or anything that is written as JSON."""
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    data = body.encode() if isinstance(body, str) else body

    def answer(handler):
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def hang_up(handler):
    """No answer at all."""
    handler.close_connection = True


def problem(kind, status):
    return send({"type": f"/problems/{kind}", "title": "…", "status": status, "detail": "…", "retryable": False}, status)


def moment(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def consensus(of, candle, **changes):
    """A BUY about this candle, made when it had closed, in the shape of the API."""
    length = timedelta(seconds=SECONDS[of])
    item = {
        "id": "019ab10f-6b62-7cc0-8000-5a3c0a1f9e21", "status": "complete", "simulated": False, "pair": "BTC/USDT", "timeframe": of,
        "current_price": 50000.0, "decision": "BUY", "raw_decision": "BUY", "hold_reason": None, "confidence": 0.743684,
        "weighted_confidence": 0.743684, "agreement_score": 0.723502, "reasoning": "Consensus (2/3 providers agree)", "risk_level": "high",
        "suggested_stop_loss": 48750.0, "suggested_take_profit": 52250.0, "total_providers": 3, "participating_providers": 3,
        "vote_breakdown": {"BUY": 2, "SELL": 0, "HOLD": 1}, "provider_responses": [], "failures": [], "warnings": [],
        "timestamp": moment(candle + length), "candle_time": moment(candle), "valid_until": moment(candle + 2 * length),
        "total_cost_usd": 0.0085, "cache": "miss",
    }  # fmt: skip
    return item | changes
