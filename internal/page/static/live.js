// What is polled whatever the view: the series with their newest results, and the health. It asks when a candle has closed, else every
// 15 seconds, by ETag, and not at all while the tab is hidden.

import { useLayoutEffect, useState } from './html.js';
import { get, keyRefused, query } from './api.js';
import { stepSeconds } from './format.js';

const interval = 15000;
const longestQuery = 6000; // characters: pairs may have 300, and gateways cut long addresses

const state = { series: null, results: new Map(), health: null, problem: null, healthProblem: null, at: null, news: '' };
const watchers = new Set();
const etags = new Map(); // path → {etag, body}
let timer = 0;
let running = false;
let wanted = false; // another poll was asked for while one was running

// useLive renders a component again after each poll.
export function useLive() {
  const [, tell] = useState();
  useLayoutEffect(() => (watchers.add(tell), () => watchers.delete(tell)), []);
  return state;
}

export const nameOf = (s) => `${s.pair} ${s.timeframe} ${s.simulated ? 'simulated' : ''}`;
export const resultOf = (s) => state.results.get(nameOf(s));

// newest is the result that was made last.
export function newest() {
  let found = null;
  for (const result of state.results.values()) {
    if (!found || result.timestamp > found.timestamp || (result.timestamp === found.timestamp && result.id > found.id)) found = result;
  }
  return found;
}

async function cached(path) {
  const held = etags.get(path);
  const answer = await get(path, { etag: held?.etag });
  const body = answer.status === 304 ? held.body : answer.body;
  if (etags.size > 500) etags.clear();
  etags.set(path, { etag: answer.etag, body });
  return body;
}

async function readResults(series) {
  const results = new Map();
  const known = series.filter((s) => s.id);
  const groups = [];
  for (const s of known) {
    const length = encodeURIComponent(s.pair).length + 6;
    let group = groups.find((g) => g.timeframe === s.timeframe && g.pairs.length < 100 && g.length + length < longestQuery);
    if (!group) groups.push((group = { timeframe: s.timeframe, pairs: [], length: 0 }));
    if (!group.pairs.includes(s.pair)) {
      group.pairs.push(s.pair);
      group.length += length;
    }
  }
  await Promise.all(groups.map(async ({ timeframe, pairs }) => {
    try {
      const body = await cached(query('v1/consensus/latest', { pair: pairs, timeframe }));
      for (const result of body.items || [body]) results.set(nameOf(result), result);
    } catch (problem) {
      if (problem.status !== 404) throw problem; // nothing newer than what the series names
    }
  }));
  // Simulated results are in no "latest" of a server that does not simulate.
  await Promise.all(known.filter((s) => !results.has(nameOf(s))).map(async (s) => {
    try {
      results.set(nameOf(s), await cached(`v1/consensus/${s.id}`));
    } catch (problem) {
      if (problem.status !== 404) throw problem; // its retention has ended since
    }
  }));
  return results;
}

async function poll() {
  if (running) {
    wanted = true;
    return;
  }
  running = true;
  wanted = false;
  clearTimeout(timer);
  try {
    const health = get('v1/health').then(({ body }) => Object.assign(state, { health: body, healthProblem: null }), (problem) => { state.healthProblem = problem; });
    const body = await cached('v1/series');
    const series = Array.isArray(body) ? body : body.series ?? body.items;
    const results = await readResults(series);
    await health;
    const before = state.series && newest();
    Object.assign(state, { series, results, problem: null, at: Date.now() });
    const now = newest();
    if (state.series && now && before !== null && now.id !== before?.id) state.news = sentence(now);
  } catch (problem) {
    state.problem = problem;
  }
  running = false;
  watchers.forEach((tell) => tell({}));
  if (wanted) poll();
  else schedule();
}

// sentence is what a screen reader says when a decision comes.
const sentence = (r) => `${r.simulated ? 'Simulated: ' : ''}${r.pair}, ${r.timeframe}: ${r.decision}, confidence ${r.confidence.toFixed(2)}.`;

function schedule() {
  clearTimeout(timer);
  if (document.hidden || keyRefused()) return;
  const now = Date.now();
  let wait = interval;
  for (const s of state.series || []) {
    const step = stepSeconds(s.timeframe) * 1000;
    wait = Math.min(wait, step - (now % step) + 1500); // an answer takes a moment
  }
  timer = setTimeout(poll, wait);
}

export function start() {
  document.addEventListener('visibilitychange', () => (document.hidden || keyRefused() ? clearTimeout(timer) : poll()));
  poll();
}

export const refresh = poll;
