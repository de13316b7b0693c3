// Requests to the API that this page came from. Addresses are relative, since the page may lie under a path. The key is kept for this
// tab alone (sessionStorage) and is sent as a header, never in an address. Nothing here asks a model but ask().

import { useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { tab } from './memory.js';

const keyName = 'thalas-key';
let refused = false; // the server wants a key, or does not take the one it got
const keyWatchers = new Set();

export const hasKey = () => tab.get(keyName) !== null;
export const keyRefused = () => refused;
export function setKey(key) {
  if (key) tab.set(keyName, key);
  else tab.forget(keyName);
  setRefused(false);
}
function setRefused(is) {
  refused = is;
  keyWatchers.forEach((tell) => tell({}));
}

// useKey renders a component again when the key or the need for one changes. It listens from the first moment (a layout effect): an answer
// may come before the first paint.
export function useKey() {
  const [, tell] = useState();
  useLayoutEffect(() => (keyWatchers.add(tell), () => keyWatchers.delete(tell)), []);
}

// Problem is an answer that is none, or no answer at all (status 0).
export class Problem extends Error {
  constructor(status, title, detail = '', more = {}) {
    super(title);
    Object.assign(this, { status, title, detail, ...more });
  }
}

// get reads a document: {status, etag, body}; body is null where the caller has it already (304).
export function get(path, { etag, signal } = {}) {
  const headers = etag ? { 'If-None-Match': etag } : {};
  return send(path, { headers, signal: any(signal, AbortSignal.timeout(30000)) });
}

// post sends a body to a route that costs nothing.
export function post(path, body, signal) {
  return send(path, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' }, signal: any(signal, AbortSignal.timeout(30000)) });
}

// ask asks the models, which may cost money. The same idempotency key is paid for once, however often it is sent.
export function ask(question, idempotencyKey) {
  return send('v1/consensus', { method: 'POST', body: question, headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey } });
}

function any(...signals) {
  return AbortSignal.any(signals.filter(Boolean));
}

async function send(path, options) {
  const key = tab.get(keyName);
  if (key) options.headers['x-api-key'] = key;
  let response, text;
  try {
    response = await fetch(path, { ...options, cache: 'no-store', credentials: 'omit', redirect: 'error' });
    text = await response.text();
  } catch (error) {
    if (options.signal?.aborted && options.signal.reason?.name === 'AbortError') throw options.signal.reason;
    throw new Problem(0, 'The server does not answer', 'Is it running, and is this machine connected? The page tries again by itself.');
  }
  const etag = response.headers.get('ETag');
  if (response.status === 304) return { status: 304, etag, body: null };
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Problem(response.status, `The server answered ${response.status} without JSON`, 'Something between this page and the server may have answered in its place.');
  }
  // A health of "unavailable" comes with 503 and is an answer all the same. A gateway refuses a key with a 403 of its own.
  if (response.ok || body.provider_health) return { status: response.status, etag, body };
  if ((response.status === 401 || (response.status === 403 && !body.type)) && key === tab.get(keyName)) setRefused(true);
  throw new Problem(response.status, body.title || body.message || `The server answered ${response.status}`, body.detail, {
    type: (body.type || '').split('/').pop(), errors: body.errors, failures: body.failures, retryable: body.retryable, requestId: body.request_id,
    retryAfter: Number(response.headers.get('Retry-After')) || null,
  });
}

// useGet reads a path and reads it again every `every` milliseconds while the tab is seen, by ETag. A new path shows nothing of the
// old one. After an error the last document stays, with the error beside it. done tells of a document that it will not change any more.
export function useGet(path, every = 0, done = () => false) {
  const [state, set] = useState({ path });
  const held = useRef({});
  const [round, next] = useState(0);
  useEffect(() => {
    if (path === null) return undefined;
    const abort = new AbortController();
    const read = async () => {
      const mine = held.current.path === path ? held.current : {};
      try {
        const answer = await get(path, { etag: mine.etag, signal: abort.signal });
        const body = answer.status === 304 ? mine.body : answer.body;
        held.current = { path, etag: answer.etag, body };
        set({ path, body, at: Date.now() });
      } catch (problem) {
        if (!abort.signal.aborted) set({ path, body: mine.body, problem });
      }
    };
    read();
    const timer = every && setInterval(() => document.hidden || (held.current.body && done(held.current.body)) || read(), every);
    return () => (abort.abort(), clearInterval(timer));
  }, [path, every, round]);
  const current = state.path === path ? state : { path };
  return { ...current, loading: path !== null && !current.body && !current.problem, again: () => next(round + 1) };
}

// query writes parameters, those that are set.
export function query(path, parameters) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== '' && value != null) [].concat(value).forEach((v) => search.append(name, v));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}
