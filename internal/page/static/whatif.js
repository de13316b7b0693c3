// What if: the same votes under other weights and gates. The server decides them anew, without asking a model.

import { html, useEffect, useRef, useState } from './html.js';
import { post, Problem } from './api.js';
import { share } from './format.js';
import { Bar, holdReason, Say, Trouble } from './parts.js';

function Slider({ name, label, value, step, was, set }) {
  return html`<div class="slider"><label for=${name}>${label}</label><input id=${name} type="range" min="0" max="1" step=${step} value=${value} onInput=${(e) => set(Number(e.target.value))} />
    <output for=${name} class=${value === was ? 'muted' : 'changed'}>${share(value)}</output></div>`;
}

export function WhatIf({ result }) {
  const policy = result.policy || { min_confidence: 0.5, min_agreement: 0 };
  const initial = { weights: Object.fromEntries(result.provider_responses.map((v) => [v.provider, v.weight])), min_confidence: policy.min_confidence, min_agreement: policy.min_agreement };
  const [choice, choose] = useState(initial);
  const [answer, set] = useState({});
  const changed = JSON.stringify(choice) !== JSON.stringify(initial);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return undefined;
    }
    if (!changed) return void set({});
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        // Only weights that were changed: a provider that voted then may be unknown to the server by now.
        const weights = Object.fromEntries(Object.entries(choice.weights).filter(([name, w]) => w !== initial.weights[name]));
        const { body } = await post('v1/replay', { id: result.id, provider_weights: weights, min_confidence: choice.min_confidence, min_agreement: choice.min_agreement }, abort.signal);
        if (!body.items[0]) throw new Problem(0, 'The server did not decide it anew', 'It may be kept no longer.');
        set({ now: body.items[0].now });
      } catch (problem) {
        if (!abort.signal.aborted) set({ problem });
      }
    }, 150);
    return () => (clearTimeout(timer), abort.abort());
  }, [choice]);
  const now = answer.now;
  const most = now && Math.max(1e-9, ...Object.values(now.weighted_votes || {}));
  return html`<section class="card" aria-labelledby="whatif"><h2 id="whatif">What if</h2>
    <p class="small muted">The same votes under other weights and gates. Nobody is asked and nothing is paid or stored.</p>
    <fieldset><legend>Weights</legend>${result.provider_responses.map((v) => html`<${Slider} key=${v.provider} name=${`w-${v.provider}`} label=${v.provider} step="0.05" was=${v.weight} value=${choice.weights[v.provider]} set=${(w) => choose({ ...choice, weights: { ...choice.weights, [v.provider]: w } })} />`)}</fieldset>
    <fieldset><legend>Gates</legend>${[['min_confidence', 'confidence'], ['min_agreement', 'agreement']].map(([name, label]) => html`<${Slider} key=${name} name=${name} label=${label} step="0.01" was=${initial[name]} value=${choice[name]} set=${(v) => choose({ ...choice, [name]: v })} />`)}</fieldset>
    <div class="then" role="status" aria-live="polite">${answer.problem ? html`<${Trouble} problem=${answer.problem} />` : !changed ? html`<p class="muted">Move a slider.</p>` : !now ? html`<p class="muted">Deciding …</p>`
      : html`<p>${now.decision === result.decision ? 'It stays ' : 'It becomes '}<${Say} decision=${now.decision} />${now.hold_reason && now.hold_reason !== 'voted' ? html` <span class="small">(${holdReason(now.hold_reason)})</span>` : ''}</p>
        <p class="small">Confidence ${share(result.confidence)} → <strong>${share(now.confidence, choice.min_confidence)}</strong>, agreement ${share(result.agreement_score)} → <strong>${share(now.agreement_score, choice.min_agreement)}</strong></p>
        ${now.weighted_votes && ['BUY', 'SELL', 'HOLD'].map((d) => html`<div class="weighted"><${Say} decision=${d} /><${Bar} of=${now.weighted_votes[d] / most} kind=${d === now.raw_decision ? '' : 'soft'} /><span class="n">${share(now.weighted_votes[d])}</span></div>`)}
        ${now.explanation && html`<p class="small">${now.explanation.contributions.some((c) => c.pivotal) ? `Decisive: ${now.explanation.contributions.filter((c) => c.pivotal).map((c) => c.provider).join(', ')}.` : 'Nobody alone is decisive.'}</p>`}`}</div>
    ${result.decided_early && html`<p class="small">Votes that were not waited for are missing; with them it might be another.</p>`}
    <button disabled=${!changed} onClick=${() => choose(initial)}>Reset</button></section>`;
}
