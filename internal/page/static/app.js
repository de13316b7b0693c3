// The shell: addresses, header, key, banner, title, and the sentence for screen readers.

import { html, render, useEffect, useRef, useState } from './html.js';
import { hasKey, keyRefused, setKey, useKey } from './api.js';
import { isUTC, setUTC, useZone, zoneName } from './format.js';
import { newest, refresh, start, useLive } from './live.js';
import { Simulated } from './parts.js';
import { Now } from './now.js';
import { Decision } from './decision.js';
import { History } from './history.js';
import { Scores } from './scores.js';
import { Cost } from './cost.js';
import { Ask } from './ask.js';

const views = { now: ['Now', Now], history: ['History', History], scores: ['Scores', Scores], cost: ['Cost', Cost], ask: ['Ask', Ask], decision: ['Decision', Decision] };
const signs = { BUY: '▲', SELL: '▼', HOLD: '■' };

// route reads an address such as #/decision/019a… or #/history?pair=BTC%2FUSDT.
function route() {
  const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, id] = path.split('/');
  return { name: views[name] && (name !== 'decision' || id) ? name : 'now', id: id && decodeURIComponent(id), parameters: new URLSearchParams(search) };
}

// go changes the address of a view; where replace is set, the step back leads to the view before.
export function go(hash, replace) {
  if (!replace) location.hash = hash;
  else {
    history.replaceState(null, '', hash);
    dispatchEvent(new HashChangeEvent('hashchange'));
  }
}

function Key() {
  const [text, set] = useState('');
  const submit = (event) => {
    event.preventDefault();
    setKey(text.trim());
    set('');
    refresh();
  };
  return html`<form class="card key" onSubmit=${submit}><h1 tabindex="-1">This server needs an API key</h1>
    ${hasKey() ? html`<p class="note bad" role="alert">The key was not accepted. Type it again.</p>` : ''}
    <label for="key">API key</label><input id="key" type="password" autocomplete="off" spellcheck="false" required value=${text} onInput=${(e) => set(e.target.value)} aria-describedby="key-help" />
    <p class="small" id="key-help">It is kept in this tab alone, until you close it, and is sent as a header, never in an address.</p>
    <button class="primary">Use this key</button></form>`;
}

function Header({ name }) {
  const live = useLive();
  const { health, problem } = live;
  const locked = keyRefused();
  const well = locked ? 'warn' : problem ? 'bad' : !health ? '' : health.status === 'healthy' ? 'good' : health.status === 'degraded' ? 'warn' : 'bad';
  const text = locked ? 'a key is needed' : problem ? (problem.status === 0 ? 'no connection' : 'answers with errors') : health ? `${health.status}, ${Object.values(health.provider_health).filter(Boolean).length} of ${health.available_providers} providers` : '…';
  return html`<header class="top"><a class="skip" href="#main" onClick=${(e) => (e.preventDefault(), document.querySelector('h1')?.focus())}>Skip to the content</a>
    <a class="brand" href="#/now"><img src="ui/icon.svg" alt="" width="22" height="22" /> Thalas</a>
    <nav aria-label="Views"><ul>${Object.entries(views).filter(([key]) => key !== 'decision').map(([key, [title]]) => html`<li><a href=${`#/${key}`} aria-current=${name === key ? 'page' : undefined}>${title}</a></li>`)}</ul></nav>
    <span class="side"><span class=${`health ${well}`}><span aria-hidden="true" class="dot"></span>${text}</span>
    <button class="quiet" onClick=${() => setUTC(!isUTC())} title="Switch between UTC and the time of this machine">Times: ${isUTC() ? 'UTC' : `local, ${zoneName()}`}</button>
    ${hasKey() && html`<button class="quiet" onClick=${() => (setKey(''), location.reload())}>Forget key</button>`}</span></header>`;
}

function Page() {
  useKey();
  useZone();
  const live = useLive();
  const [at, set] = useState(route);
  const main = useRef();
  useEffect(() => {
    const changed = () => set(route());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  const first = useRef(true);
  useEffect(() => { // a screen reader begins at the heading of the new view
    if (!first.current) main.current.querySelector('h1')?.focus({ preventScroll: true });
    if (!first.current) scrollTo(0, 0);
    first.current = false;
  }, [at.name, at.id]);
  const result = newest();
  const [title, View] = views[at.name];
  useEffect(() => {
    document.title = `${result ? `${result.simulated ? 'SIMULATED ' : ''}${signs[result.decision]} ${result.decision} ${[...result.pair].slice(0, 40).join('')} ${result.timeframe} · ` : ''}${title} · Thalas`;
  }, [result?.id, title]);
  return html`<${Header} name=${at.name} />
    <p class="hidden" role="status" aria-live="polite">${live.news}</p>
    ${live.health?.simulated && html`<div class="wrap"><${Simulated} /></div>`}
    <main id="main" ref=${main} class="wrap">${keyRefused() ? html`<${Key} />` : html`<${View} key=${at.name + (at.id || '')} id=${at.id} parameters=${at.parameters} go=${go} />`}</main>
    <footer class="wrap small"><span>${live.health ? `Thalas Consensus ${live.health.version}` : 'Thalas Consensus'}</span> <a href="openapi.json">API contract</a>
    <span>Charts by <a href="https://www.tradingview.com/" rel="noopener noreferrer" target="_blank">TradingView Lightweight Charts™</a>, © 2026 TradingView, Inc.</span> <a href="ui/licences.txt">Licences</a></footer>`;
}

const place = document.getElementById('page');
place.replaceChildren();
render(html`<${Page} />`, place);
start();
