"""freqtrade as the tests start it: in this process, loop by loop, or as its own command."""

import json
import logging
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

EXAMPLE = Path("examples/freqtrade").resolve()


def configuration(folder, exchange_url, **changes):
    """The example's configuration, with an exchange on loopback."""
    config = json.loads((EXAMPLE / "config.example.json").read_text())
    config.pop("$schema", None)
    config |= {
        "user_data_dir": str(folder), "strategy": "LLMConsensusStrategy", "strategy_path": str(EXAMPLE),
        "db_url": f"sqlite:///{folder}/trades.sqlite", "datadir": str(Path(folder) / "data" / "binance"),
    }  # fmt: skip
    config["exchange"] |= {
        "enable_ws": False,
        "ccxt_config": {
            "urls": {"api": {"public": exchange_url}},
            "options": {"fetchMargins": False, "fetchCurrencies": False, "fetchMarkets": {"types": ["spot"]}},
        },
        "ccxt_async_config": {"urls": {"api": {"public": exchange_url}}},
    }
    config["thalas"] = {}
    return config | changes


def write(folder, config):
    path = Path(folder) / "config.json"
    path.write_text(json.dumps(config))
    return path


def run(folder, *arguments, timeout=120):
    """Runs a command of freqtrade to its end; gives its exit code and everything it said."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("freqtrade")), *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout
    )
    return done.returncode, done.stdout + done.stderr


def bot(folder, exchange_url, **changes):
    """A dry-run bot, set up as freqtrade's worker does it; process() is one loop."""
    from freqtrade.configuration import Configuration
    from freqtrade.enums import RunMode, State
    from freqtrade.freqtradebot import FreqtradeBot

    path = write(folder, configuration(folder, exchange_url, **changes))
    config = Configuration({"config": [str(path)], "dry_run": True}, RunMode.DRY_RUN).get_config()
    logging.getLogger().handlers.clear()  # those that print
    made = FreqtradeBot(config)
    made.state = State.RUNNING
    made.startup()
    return made


def fresh_strategy(made):
    """Gives the bot a strategy that has just started, as a restart does."""
    from freqtrade.resolvers import StrategyResolver

    strategy = StrategyResolver.load_strategy(made.config)
    strategy.dp, strategy.wallets = made.dataprovider, made.wallets
    strategy.ft_bot_start()
    made.strategy = strategy
    return strategy


def strategy(config):
    """The strategy by freqtrade's own loader, without a bot. Trades are kept in memory."""
    from freqtrade.persistence import init_db
    from freqtrade.resolvers import StrategyResolver

    init_db("sqlite://")
    return StrategyResolver.load_strategy({"strategy": "LLMConsensusStrategy", "strategy_path": str(EXAMPLE), "user_data_dir": EXAMPLE} | config)


def forget_trades():
    from freqtrade.persistence import Trade
    from freqtrade.persistence.pairlock import PairLock

    for trade in Trade.get_trades().all():
        trade.delete()
    Trade.session.execute(PairLock.__table__.delete())
    Trade.commit()


def steady_timeframe():
    """A timeframe whose candle does not end while a test runs, and the open time of its newest closed candle."""
    now = time.time()
    for name, days, offset in (("1d", 1, 0), ("3d", 3, 0), ("1w", 7, 4)):
        length = days * 86400
        forming = (now - offset * 86400) // length * length + offset * 86400
        if forming + length - now > 600:
            return name, datetime.fromtimestamp(forming, timezone.utc) - timedelta(seconds=length)
    raise AssertionError("all three end at once")


def moment(text):
    return datetime.fromisoformat(text)


def folder():
    return tempfile.TemporaryDirectory(prefix="freqtrade-")
