// The cost panel: what the operation in the editor will cost, before it runs, and
// what it took, once it has.
'use strict';

function element(tag, properties, ...children) {
  const e = Object.assign(document.createElement(tag), properties);
  e.append(...children);
  return e;
}

// amount writes so many of a unit in the plural, such as points or rows read.
const amount = (n, unit) => n + ' ' + (n === 1 ? unit.replace(/s\b/, '') : unit);
const points = (n) => amount(n, 'points');

// costPanel makes the panel. apply is called with a suggestion that the person
// has chosen.
function costPanel(apply) {
  const summary = element('p', { className: 'summary' });
  summary.setAttribute('role', 'status');
  const shares = element('ul', { className: 'shares' });
  shares.setAttribute('aria-label', 'Share of each field');
  const advice = element('div', { className: 'advice' });
  const panel = element('section', { id: 'price' }, summary, element('div', { className: 'details' }, shares, advice));
  panel.setAttribute('aria-label', 'Cost of the operation');

  const say = (...items) => summary.replaceChildren(...items.map(([label, value, className]) =>
    element('span', {}, label + ' ', element('b', { className: className || '', textContent: value }))));

  // advise shows suggestions whose savings are in the unit; one that needs
  // another operation is told, not applied.
  function advise(suggestions, unit) {
    const known = (suggestions || []).filter((s) => wording[s.kind]);
    advice.replaceChildren(...known.map((s) => {
      const textContent = wording[s.kind](s, unit);
      if (s.mutation) return element('p', { textContent });
      const button = element('button', { type: 'button', textContent });
      button.addEventListener('click', () => apply(s));
      return button;
    }));
  }

  // bars shows the dearest fields; a root field holds what stands below it.
  function bars(fields) {
    const dearest = [...fields].sort((a, b) => b.requested - a.requested).slice(0, 8);
    const most = Math.max(...fields.map((f) => Math.max(f.requested, f.actual || 0)), 0.01);
    shares.replaceChildren(...dearest.map((f) => {
      const track = element('span', { className: 'track' });
      const add = (className, value) => {
        const bar = element('span', { className });
        bar.style.width = (100 * value) / most + '%';
        track.append(bar);
      };
      add('requested', f.requested);
      let value = String(f.requested);
      if (f.actual !== undefined) {
        add('actual', f.actual);
        value += ' \u2192 ' + f.actual;
      }
      track.setAttribute('aria-hidden', 'true');
      return element('li', {}, element('span', { className: 'path', textContent: f.path, title: f.coordinate }), track, element('span', { className: 'value', textContent: value }));
    }));
  }

  function budget(throttle) {
    return ['budget', Math.max(0, Math.round(throttle.currentlyAvailable)) + ' of ' + throttle.maximumAvailable];
  }

  return {
    element: panel,

    // incomplete says why there is no price.
    incomplete(message) {
      say(['no price yet:', message]);
      shares.replaceChildren();
      advice.replaceChildren();
    },

    // refused shows a whole operation's refusal.
    refused(status, error) {
      const { code, retryAfterMs, suggestions, unit } = error.extensions || {};
      const items = [['refused', (code || 'ERROR') + ' (' + status + ')', 'refused'], ['', error.message]];
      if (retryAfterMs) items.push(['come back in', retryAfterMs + ' ms']);
      say(...items);
      shares.replaceChildren();
      advise(suggestions, unit);
    },

    // quoted shows the answer of /graphql/cost.
    quoted({ verdict, cost, allows, suggestions }) {
      const items = [['estimated', points(cost.requestedQueryCost)]];
      if (cost.boundQueryCost > cost.requestedQueryCost) items.push(['at most', String(cost.boundQueryCost)]);
      items.push(verdict.code === 'ACCEPTED' ? ['verdict', 'accepted', 'accepted'] : ['verdict', verdict.code, 'refused']);
      if (verdict.message) items.push(['', verdict.message]);
      if (verdict.retryAfterMs) items.push(['come back in', verdict.retryAfterMs + ' ms']);
      items.push(['class', cost.class], budget(cost.throttleStatus));
      if (allows) items.push(['pays this', allows.now + ' times now, ' + allows.perMinute + ' a minute']);
      say(...items);
      bars(cost.fields || []);
      advise(suggestions, verdict.unit);
    },

    // ran shows the cost of an answer.
    ran(cost) {
      say(['estimated', points(cost.requestedQueryCost)], ['actual', String(cost.actualQueryCost)],
        ['rows', String(cost.rows.actual)], ['class', cost.class], budget(cost.throttleStatus));
      bars(cost.fields || []);
      advice.replaceChildren();
    },
  };
}

const saving = (s, unit) => (unit ? `, saves ${amount(s.saves, unit)}` : '');

// wording says what choosing a suggestion does.
const wording = {
  REDUCE_ARGUMENT: (s) => `Set ${s.argument} of ${s.path} to ${s.maxAccepted}`,
  NARROW_RANGE: (s) => `Shorten ${s.argument} of ${s.path} to ${s.maxAccepted.slice(1, -1)} days`,
  REDUCE_ALL: (s) => `Set ${s.places.map((p) => `${p.argument} of ${p.path}`).join(', ')} to ${s.maxAccepted} each`,
  NARROW_ALL: (s) => `Shorten ${s.places.map((p) => `${p.argument} of ${p.path}`).join(', ')} to ${s.maxAccepted.slice(1, -1)} days each`,
  DROP_FIELD: (s, unit) => `Leave ${s.path} out` + saving(s, unit),
  DROP_FIELDS: (s, unit) => `Leave ${s.places.map((p) => p.path).join(', ')} out` + saving(s, unit),
  SPLIT_OPERATION: (s) => `Move ${s.path} into an operation of its own`,
  USE_EXPORT: (s) => `For all of ${s.path}, have ${s.mutation} make a file`,
};
