// CSV out, of the decisions that History shows, and in, of candles for a question.

const columns = ['id', 'timestamp', 'candle_time', 'valid_until', 'pair', 'timeframe', 'current_price', 'decision', 'raw_decision', 'hold_reason', 'confidence', 'agreement_score', 'risk_level',
  'suggested_stop_loss', 'suggested_take_profit', 'status', 'simulated', 'total_cost_usd'];
const outcomeColumns = ['status', 'reason', 'right', 'move', 'net_return'];

// cell quotes what needs it; a text that a spreadsheet would run as a formula begins with '.
function cell(v) {
  if (v == null) return '';
  let text = String(v);
  if (typeof v === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// toCSV writes the API's columns and, behind them, what became of each decision.
export function toCSV(results) {
  const head = [...columns, ...outcomeColumns.map((c) => `outcome_${c}`)];
  const rows = results.map((r) => [...columns.map((c) => cell(r[c])), ...outcomeColumns.map((c) => cell(r.outcome?.[c]))]);
  return [head, ...rows].map((row) => row.join(',')).join('\r\n') + '\r\n';
}

// save offers a text as a file.
export function save(name, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const names = { time: ['time', 'timestamp', 'date', 'datetime', 'open_time'], open: ['open'], high: ['high'], low: ['low'], close: ['close'], volume: ['volume', 'vol'] };

// readCandles reads a CSV with a heading line, or JSON: a list of candles. It throws an Error that says what is wrong and where.
export function readCandles(text) {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed === '') throw new Error('The file is empty: it needs a heading line and candles.');
  if (/^[[{]/.test(trimmed)) {
    const read = JSON.parse(trimmed);
    const list = Array.isArray(read) ? read : read.recent_candles ?? read.market_data?.recent_candles;
    if (!Array.isArray(list)) throw new Error('The JSON is no list of candles and has no recent_candles.');
    return list;
  }
  const lines = trimmed.split(/\r?\n/).map((line) => line.split(/[,;\t]/).map((c) => c.trim().replace(/^"|"$/g, '')));
  const head = lines[0].map((c) => c.toLowerCase());
  const at = Object.fromEntries(Object.entries(names).map(([name, all]) => [name, head.findIndex((c) => all.includes(c))]));
  for (const name of ['open', 'high', 'low', 'close']) if (at[name] < 0) throw new Error(`The heading line has no column “${name}”: it needs open, high, low and close, and may have time and volume.`);
  return lines.slice(1).filter((line) => line.some((c) => c !== '')).map((line, i) => {
    const candle = {};
    if (at.time >= 0) candle.time = moment(line[at.time], i + 2);
    for (const name of ['open', 'high', 'low', 'close', 'volume']) {
      if (at[name] < 0) continue;
      const digits = line[at[name]] ?? '';
      if (name === 'volume' && digits === '') candle.volume = null;
      else if (!/^[+-]?\d+(\.\d*)?(e[+-]?\d+)?$/i.test(digits)) throw new Error(`Line ${i + 2}: “${digits.slice(0, 40)}” is no number for ${name}.`);
      else candle[name] = Number(digits);
    }
    return candle;
  });
}

function moment(text, line) {
  if (/^\d{9,14}(\.\d+)?$/.test(text ?? '')) return Number(text);
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : /[zZ]$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`; // without a zone: UTC
  const date = new Date(at.replace(' ', 'T'));
  if (isNaN(date)) throw new Error(`Line ${line}: “${String(text).slice(0, 40)}” is no time.`);
  return date.toISOString();
}
