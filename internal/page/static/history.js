// History: the decisions of a series, or of a UTC day over all series, newest first.

import { html, useEffect, useState } from './html.js';
import { get, query } from './api.js';
import { dayAfter, gain, plural, price, share, timeframes, usd, utcDay, useZone, when } from './format.js';
import { useLive } from './live.js';
import { Empty, holdReason, linkTo, Loading, Marks, Name, Say, SimulatedHere, Trouble, words } from './parts.js';
import { save, toCSV } from './csv.js';

const fields = ['pair', 'timeframe', 'day', 'from', 'to', 'decision', 'status', 'outcome'];

// outcomeOf puts an outcome into one of the words of the filter.
function outcomeOf(o) {
  if (!o) return 'unknown';
  return o.status === 'settled' ? (o.right ? 'right' : 'wrong') : o.status;
}

function Outcome({ outcome: o }) {
  const word = outcomeOf(o);
  if (o?.status === 'settled') return html`<span class=${o.right ? 'good' : 'bad'}>${o.right ? '✓ right' : '✗ wrong'}</span> ${o.decision === 'HOLD' ? html`<span class="small muted">price moved ${gain(o.move)}</span>` : gain(o.net_return)}`;
  return html`<span class="muted">${word}${o?.reason ? `: ${words(o.reason)}` : ''}</span>`;
}

const midnight = (day) => day && `${day}T00:00:00Z`;

// usePages reads a list page by page.
function usePages(asked) {
  const path = query('v1/consensus', asked.pair
    ? { pair: asked.pair, timeframe: asked.timeframe || '5m', from: midnight(asked.from), to: midnight(asked.to), limit: 50 }
    : { from: `${asked.day}T00:00:00Z`, limit: 50 });
  const [state, set] = useState({ path });
  const read = async (cursor) => {
    set((s) => ({ ...(s.path === path ? s : { path }), loading: true, problem: null }));
    try {
      const { body } = await get(cursor ? `${path}&cursor=${encodeURIComponent(cursor)}` : path);
      set((s) => (s.path !== path ? s : { path, items: cursor ? [...s.items, ...body.items] : body.items, next: body.next_cursor }));
    } catch (problem) {
      set((s) => (s.path !== path ? s : { ...s, loading: false, problem }));
    }
  };
  useEffect(() => void read(), [path]);
  return { ...(state.path === path ? state : {}), more: () => read(state.next), again: () => read(state.items ? state.next : null) };
}

function Filter({ asked, go }) {
  const [form, set] = useState(asked);
  const live = useLive();
  useEffect(() => set(asked), [JSON.stringify(asked)]);
  const submit = (change) => {
    const next = { ...form, ...change };
    set(next);
    go(query('#/history', next.pair ? { ...next, day: '' } : { ...next, timeframe: '', from: '', to: '' }), Boolean(change.decision ?? change.status ?? change.outcome));
  };
  const choice = (name, label, all, options) => html`<div><label for=${`h-${name}`}>${label}</label><select id=${`h-${name}`} onChange=${(e) => submit({ [name]: e.target.value })}><option value="">${all}</option>${options.map((o) => html`<option value=${o} selected=${o === form[name]}>${o}</option>`)}</select></div>`;
  const known = [...new Set((live.series || []).map((s) => s.pair))].slice(0, 200);
  return html`<form class="filter" onSubmit=${(e) => (e.preventDefault(), submit({}))}>
    <div><label for="h-pair">Series</label><input id="h-pair" list="h-pairs" size="14" value=${form.pair} placeholder="all of a day" onChange=${(e) => set({ ...form, pair: e.target.value.trim() })} /><datalist id="h-pairs">${known.map((p) => html`<option value=${p}></option>`)}</datalist></div>
    ${form.pair ? html`<div><label for="h-timeframe">Timeframe</label><select id="h-timeframe" onChange=${(e) => submit({ timeframe: e.target.value })}>${timeframes.map((t) => html`<option selected=${t === (form.timeframe || '5m')}>${t}</option>`)}</select></div>
        <div><label for="h-from">From (UTC day)</label><input id="h-from" type="date" value=${form.from} onChange=${(e) => submit({ from: e.target.value })} /></div><div><label for="h-to">Before</label><input id="h-to" type="date" value=${form.to} onChange=${(e) => submit({ to: e.target.value })} /></div>`
      : html`<div><label for="h-day">UTC day</label><span class="joined"><button type="button" aria-label="Day before" onClick=${() => submit({ day: dayAfter(form.day, -1) })}>‹</button><input id="h-day" type="date" required value=${form.day} onChange=${(e) => e.target.value && submit({ day: e.target.value })} /><button type="button" aria-label="Day after" onClick=${() => submit({ day: dayAfter(form.day) })}>›</button></span></div>`}
    ${choice('decision', 'Decision', 'any', ['BUY', 'SELL', 'HOLD'])}${choice('status', 'Status', 'any', ['complete', 'degraded'])}${choice('outcome', 'Outcome', 'any', ['right', 'wrong', 'pending', 'unresolved', 'unknown'])}<button>Show</button></form>`;
}

export function History({ parameters, go }) {
  useZone();
  const asked = Object.fromEntries(fields.map((name) => [name, parameters.get(name) || '']));
  asked.day ||= utcDay(Date.now());
  const { items, next, loading, problem, more, again } = usePages(asked);
  const matching = (items || []).filter((r) => (!asked.decision || r.decision === asked.decision) && (!asked.status || r.status === asked.status) && (!asked.outcome || outcomeOf(r.outcome) === asked.outcome));
  const filtered = asked.decision || asked.status || asked.outcome;
  return html`<h1 tabindex="-1">History</h1><${Filter} asked=${asked} go=${go} />
    <${SimulatedHere} of=${matching.some((r) => r.simulated)} />
    ${items && items.length > 0 && html`<p class="bar-line"><span role="status">${filtered ? `${plural(matching.length, 'decision')} of the ${items.length} loaded` : `${plural(items.length, 'decision')} loaded`}${next ? '; there are older ones' : '; that is all'}.</span>
      <button disabled=${matching.length === 0} onClick=${() => save(`decisions-${asked.pair ? asked.pair.replace(/[^\w-]+/g, '-').slice(0, 60) : asked.day}.csv`, toCSV(matching))}>CSV of these ${matching.length}</button></p>`}
    ${!items && !problem && html`<${Loading} what="decisions" />`}
    ${items?.length === 0 && html`<${Empty} title="No decisions">${asked.pair ? 'This series has none in that time: check its timeframe.' : 'None was made on this UTC day.'} Look at another day or series above, or <a href="#/ask">ask</a>.<//>`}
    ${items?.length > 0 && matching.length === 0 && html`<p class="state">None of the ${items.length} loaded decisions matches.</p>`}
    ${matching.length > 0 && html`<table class="rows history"><caption class="hidden">Decisions, newest first</caption><thead><tr><th scope="col">Answered</th>${!asked.pair && html`<th scope="col">Series</th>`}<th scope="col">Decision</th><th scope="col" class="n">Confidence</th><th scope="col" class="n">Price</th><th scope="col">Models</th><th scope="col">Outcome, net return</th><th scope="col" class="n">Cost</th></tr></thead>
      <tbody>${matching.map((r) => html`<tr key=${r.id}><th scope="row"><a href=${linkTo(r.id)}>${when(r.timestamp, { zone: false })}</a></th>${!asked.pair && html`<td data-label="Series" class="three"><${Name} text=${r.pair} limit=${48} /> <span class="frame">${r.timeframe}</span>${r.simulated ? html` <span class="tag warn">simulated</span>` : ''}</td>`}
        <td data-label="Decision"><${Say} decision=${r.decision} />${r.status === 'degraded' ? html` <span class="tag warn">degraded</span>` : ''}${r.hold_reason && r.hold_reason !== 'voted' ? html`<div class="small">${holdReason(r.hold_reason)}</div>` : ''}</td>
        <td data-label="Confidence" class="n">${share(r.confidence, r.policy?.min_confidence)}</td><td data-label="Price" class="n">${price(r.current_price)}</td><td data-label="Models"><${Marks} result=${r} /></td><td data-label="Outcome, net return" class="two"><${Outcome} outcome=${r.outcome} /></td><td data-label="Cost" class="n less">${usd(r.total_cost_usd)}</td></tr>`)}</tbody></table>`}
    <${Trouble} problem=${problem} again=${again} />
    ${next && !problem && html`<p><button disabled=${loading} onClick=${more}>${loading ? 'Loading …' : 'Load 50 older'}</button></p>`}`;
}
