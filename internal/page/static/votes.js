// The votes of a decision: what each model said and why, what its vote was worth, how long it took, what it cost; and who failed.

import { html } from './html.js';
import { compact, gain, millis, price, share, usd, when } from './format.js';
import { Bar, Long, Say, sentence, Values, words } from './parts.js';

// order puts the votes that mattered first: the pivotal ones, then by their share.
function order(result) {
  const worth = new Map(result.explanation.contributions.map((c) => [c.provider, c]));
  return result.provider_responses.map((vote) => ({ vote, worth: worth.get(vote.provider) ?? { share: 0, supports: false, pivotal: false, decision_without: null } }))
    .sort((a, b) => b.worth.pivotal - a.worth.pivotal || b.worth.share - a.worth.share || (a.vote.provider < b.vote.provider ? -1 : 1));
}

function Vote({ vote: v, worth, total, settled }) {
  return html`<li class="vote"><div class="said"><${Say} decision=${v.decision} /><div><strong>${v.provider}</strong> <span class="small muted">${v.model}</span></div>
      <span class="tags">${worth.pivotal && html`<span class="tag accent">${worth.decision_without ? `decisive: without it ${worth.decision_without}` : 'the only vote'}</span>`}${settled && html`<span class=${`tag ${settled.right ? 'good' : 'bad'}`}>${settled.right ? '✓ right' : '✗ wrong'}</span>`}</span></div>
    <dl class="worth"><div><dt>Share of the vote</dt><dd><${Bar} of=${worth.share} kind=${worth.supports ? '' : 'soft'} /><span class="n">${(worth.share * 100).toFixed(1)} %</span></dd></div>
      <div><dt>Confidence × weight</dt><dd class="n">${share(v.confidence)} × ${share(v.weight)}</dd></div>
      <div><dt>Time in the run</dt><dd><${Bar} of=${v.latency_ms / total} kind="soft" /><span class="n">${millis(v.latency_ms)}</span></dd></div>
      <div><dt>Cost</dt><dd class="n">${usd(v.cost_usd)}${v.attempts > 1 ? html` <span class="small">in ${v.attempts} attempts</span>` : ''}</dd></div>
      ${(v.stop_loss != null || v.take_profit != null) && html`<div><dt>Its stop / target</dt><dd class="n">${price(v.stop_loss)} / ${price(v.take_profit)}</dd></div>`}</dl>
    <p class="reasoning"><${Long} text=${v.reasoning} /></p></li>`;
}

export function Votes({ result, outcome }) {
  const votes = order(result);
  const settled = new Map((outcome?.votes || []).map((v) => [v.provider, v]));
  const total = Math.max(result.total_latency_ms, 1e-9);
  return html`<section class="card" aria-labelledby="votes"><h2 id="votes">Votes</h2>
    ${votes.length === 0 && html`<p>Nobody voted.</p>`}
    <ul class="votes">${votes.map(({ vote, worth }) => html`<${Vote} key=${vote.provider} vote=${vote} worth=${worth} total=${total} settled=${outcome?.status === 'settled' && settled.get(vote.provider)} />`)}</ul>
    ${votes.length > 0 && html`<${Values} caption="Votes" columns=${['Provider', 'Model', 'Decision', 'Confidence', 'Weight', 'Share', 'Decisive', 'Without it', 'Net return', 'Time', 'Tokens in / out', 'Cost']}
      rows=${votes.map(({ vote: v, worth: w }) => [v.provider, v.model, v.decision, share(v.confidence), share(v.weight), `${(w.share * 100).toFixed(1)} %`, w.pivotal ? 'yes' : 'no', w.decision_without ?? '–', gain(settled.get(v.provider)?.net_return), millis(v.latency_ms), `${compact(v.input_tokens)} / ${compact(v.output_tokens)}`, usd(v.cost_usd)])} />`}
    <p class="small muted">The whole run took ${millis(result.total_latency_ms)}, of which ${millis(result.overhead_ms)} were not spent waiting for providers.</p></section>`;
}

export function Failures({ result }) {
  if (result.failures.length === 0) return null;
  const total = Math.max(result.total_latency_ms, 1e-9);
  return html`<section class="card" aria-labelledby="failures"><h2 id="failures">Did not vote</h2><ul class="votes">${result.failures.map((f) => html`<li class="vote" key=${f.provider}>
    <div class="said"><span class="say failed"><span aria-hidden="true">${f.error === 'not_needed' ? '·' : '×'}</span> ${words(f.error)}${f.reason ? `: ${words(f.reason)}` : ''}</span><strong>${f.provider}</strong></div>
    ${f.attempts > 0 && html`<dl class="worth"><div><dt>Time in the run</dt><dd><${Bar} of=${f.latency_ms / total} kind="soft" /><span class="n">${millis(f.latency_ms)}</span></dd></div><div><dt>Attempts</dt><dd class="n">${f.attempts}</dd></div></dl>`}
    <p class="reasoning"><${Long} text=${sentence(f.message)} />${f.until ? html` It is tried again at ${when(f.until)}.` : f.error === 'not_needed' || f.error === 'left_out' ? '' : f.retryable ? ' Asking again later may help.' : ' Asking again does not help until that is changed.'}</p></li>`)}</ul></section>`;
}
