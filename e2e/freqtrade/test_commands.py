"""freqtrade's own commands on the example: its loader, a dry run to its end, a hyperopt."""

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import unittest
from pathlib import Path

import bot
from exchange import Exchange
from history import FIRST, rising, signals, write_candles, write_csv
from service import KEY, Binary


class Commands(unittest.TestCase):
    def setUp(self):
        folder, self.exchange = bot.folder(), Exchange()
        self.addCleanup(folder.cleanup)
        self.addCleanup(self.exchange.close)
        self.folder = folder.name

    def test_loader(self):
        code, said = bot.run(self.folder, "list-strategies", "--strategy-path", str(bot.EXAMPLE), "--userdir", self.folder, "--no-color")
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"LLMConsensusStrategy\W+LLMConsensusStrategy\.py\W+OK")

    def test_dry_run(self):
        timeframe, candle = bot.steady_timeframe()
        service = Binary(self.folder)
        self.addCleanup(service.close)
        answer = service.ask("BTC/USDT", timeframe, 50000.0, candle, "BUY")
        config = bot.configuration(
            self.folder, self.exchange.url, timeframe=timeframe, internals={"process_throttle_secs": 1}, thalas={"url": service.url, "api_key": KEY}
        )
        said = self.trade(bot.write(self.folder, config), until="entry_fill")
        self.assertIn(answer["id"], said)
        self.assertNotIn(KEY, said)
        database = sqlite3.connect(f"{self.folder}/trades.sqlite")
        self.addCleanup(database.close)
        ((tag, stop),) = database.execute("select enter_tag, stop_loss from trades").fetchall()
        self.assertTrue(tag.startswith(f"thalas {answer['id']} "), tag)
        self.assertEqual(stop, answer["suggested_stop_loss"])

    def test_dry_run_that_is_set_up_wrongly_ends(self):
        config = bot.configuration(self.folder, self.exchange.url, thalas={"url": "ftp://127.0.0.1", "api_key": KEY})
        code, said = bot.run(self.folder, "trade", "--dry-run", "--config", str(bot.write(self.folder, config)))
        self.assertNotEqual(code, 0)
        self.assertIn("THALAS_URL (or thalas.url) is not an address", said)
        self.assertNotIn(KEY, said)

    def trade(self, config, until):
        """Runs the bot until it says so, ends it as Ctrl-C does, and gives all that it said."""
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("freqtrade")), "trade", "--dry-run", "--no-color", "--config", str(config)],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            # A shell's background job ignores Ctrl-C, and so would the bot.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        giving_up = threading.Timer(120, process.kill)
        giving_up.start()
        said = ""
        with process.stdout:
            for line in process.stdout:
                said += line
                if until in line and process.returncode is None:
                    process.send_signal(signal.SIGINT)
                    until = "\0"
        giving_up.cancel()
        self.assertEqual(process.wait(), 130, said)  # what freqtrade gives on Ctrl-C
        return said

    def test_hyperopt(self):
        strategies = Path(self.folder) / "strategies"
        strategies.mkdir()
        shutil.copy(bot.EXAMPLE / "LLMConsensusStrategy.py", strategies)  # freqtrade writes beside it
        write_candles(self.folder, rising(300))
        write_csv(Path(self.folder) / "signals.csv", signals([("BUY", 10 + 12 * n, {"confidence": 0.5 + n / 50}) for n in range(20)]))
        config = bot.configuration(self.folder, self.exchange.url, strategy_path=str(strategies), thalas={"history": "signals.csv"})
        code, said = bot.run(
            self.folder, "hyperopt", "--config", str(bot.write(self.folder, config)), "--epochs", "3", "--spaces", "buy", "sell", "--no-color",
            "--hyperopt-loss", "OnlyProfitHyperOptLoss", "--job-workers", "1", "--random-state", "1", "--timerange", f"{FIRST:%Y%m%d}-",
            "--data-format-ohlcv", "json", "--min-trades", "1",
        )  # fmt: skip
        self.assertEqual(code, 0, said)
        trades = [int(count) for count in re.findall(r"(\d+) trades\. ", said)]
        self.assertTrue(trades and trades[-1] > 0, said)
        for name in ("min_confidence", "min_agreement", "min_exit_confidence"):
            self.assertIn(name, said)
