// Numbers and times as text. Numbers keep their digits where they decide something; a missing one is never 0.

import { useEffect, useLayoutEffect, useState } from './html.js';
import { browser } from './memory.js';

const none = '–';

// price writes all digits that the number has, never with an exponent, in groups of three before the point.
export function price(n) {
  if (n == null) return none;
  let [whole, fraction = ''] = plain(Math.abs(n)).split('.');
  whole = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return (n < 0 ? '−' : '') + whole + (fraction && '.' + fraction);
}

// decimals is how many digits a number has behind the point.
export const decimals = (n) => (plain(n).split('.')[1] || '').length;

function plain(n) {
  const text = String(n);
  const [digits, exponent] = text.split('e');
  if (exponent === undefined) return text;
  return exponent < 0 ? n.toFixed(Math.min(100, (digits.split('.')[1] || '').length - exponent)) : BigInt(n).toString();
}

// share writes a number from 0 to 1 with two digits; more where two would hide on which side of the limit it lies.
export function share(n, limit) {
  if (n == null) return none;
  for (let d = 2; d < 12; d++) {
    const text = n.toFixed(d);
    if (limit == null || n === limit || Number(text) !== Number(limit.toFixed(d)) || Math.abs(n - limit) < 1e-12) return text;
  }
  return String(n);
}

// percent writes a share as a percentage; with a sign where it is a gain or loss.
export function percent(n, d = 1) {
  return n == null ? none : minus((n * 100).toFixed(d)) + '\u00a0%';
}
export function gain(n, d = 2) {
  if (n == null) return none;
  const text = percent(n, d);
  return n > 0 ? '+' + text : text;
}
const minus = (text) => (Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−'));

export function usd(n) {
  if (n == null) return 'unknown';
  if (n === 0) return '$0';
  return '$' + (n >= 1 ? n.toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ',') : n >= 0.1 ? n.toFixed(3) : Number(n.toPrecision(2)).toFixed(Math.min(12, 1 - Math.floor(Math.log10(n)))));
}

export const count = (n) => (n == null ? none : Math.round(n).toLocaleString('en-US'));
export const compact = (n) => (n == null ? none : n.toLocaleString('en-US', { notation: 'compact', maximumFractionDigits: 1 }));
export const plural = (n, one, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;

export function millis(n) {
  if (n == null) return none;
  if (n > 0 && n < 1) return '<\u00a01\u00a0ms';
  return n < 1000 ? `${Math.round(n)}\u00a0ms` : `${(n / 1000).toFixed(n < 10000 ? 2 : 1)}\u00a0s`;
}

// span writes a length of time in its two largest units.
export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s}\u00a0s`;
  if (s < 3600) return `${Math.floor(s / 60)}\u00a0min`;
  if (s < 86400) return `${Math.floor(s / 3600)}\u00a0h ${Math.floor(s / 60) % 60}\u00a0min`;
  return `${Math.floor(s / 86400)}\u00a0d ${Math.floor(s / 3600) % 24}\u00a0h`;
}

// Whether times are shown in UTC or in the viewer's zone; remembered in this browser.
let utc = browser.get('thalas-zone') !== 'local';
const watchers = new Set();
export const isUTC = () => utc;
export function setUTC(is) {
  utc = is;
  browser.set('thalas-zone', is ? 'utc' : 'local');
  watchers.forEach((tell) => tell({}));
}

// useZone renders a component again when the zone is switched.
export function useZone() {
  const [, tell] = useState();
  useLayoutEffect(() => (watchers.add(tell), () => watchers.delete(tell)), []);
  return utc;
}

const formats = {};
function format(key, options) {
  return (formats[key + utc] ??= new Intl.DateTimeFormat('en-GB', { ...options, timeZone: utc ? 'UTC' : undefined, hourCycle: 'h23' }));
}

// when writes a moment: the day, the time, and the zone where it is asked for.
export function when(at, { zone = true, seconds = false } = {}) {
  const date = new Date(at);
  if (at == null || isNaN(date)) return none;
  const text = format('t' + seconds, { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', second: seconds ? '2-digit' : undefined }).format(date).replace(',', '');
  const year = date.getUTCFullYear() === new Date().getUTCFullYear() ? '' : ` ${date.getUTCFullYear()}`;
  return text.replace(/ (\d\d:)/, `${year} $1`) + (zone ? ` ${zoneName(date)}` : '');
}

export function zoneName(date = new Date()) {
  if (utc) return 'UTC';
  return format('z', { timeZoneName: 'short' }).formatToParts(date).find((p) => p.type === 'timeZoneName').value;
}

// utcDay is the UTC day of a moment as YYYY-MM-DD.
export const utcDay = (at) => new Date(at).toISOString().slice(0, 10);
const dayMillis = 86400000;
export const dayAfter = (day, n = 1) => utcDay(Date.parse(day) + n * dayMillis);

// useNow renders a component again every few seconds while the tab is seen.
export function useNow(every = 1000) {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => document.hidden || set(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

const lengths = { m: 60, h: 3600, d: 86400, w: 604800 };
export const timeframes = ['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d', '3d', '1w'];
// stepSeconds is the length of a timeframe.
export const stepSeconds = (timeframe) => parseInt(timeframe, 10) * lengths[timeframe.slice(-1)];
