// Applies a suggestion of the server to a document and its variables. What the
// person wrote stays as it is; only the place concerned changes.
'use strict';

// applySuggestion returns {query, variables}, or null where the suggestion needs
// a person. variables is the parsed object.
function applySuggestion({ parse }, query, variables, operationName, suggestion) {
  let document;
  try {
    document = parse(query);
  } catch {
    return null;
  }
  const operations = document.definitions.filter((d) => d.kind === 'OperationDefinition');
  const operation = operations.length === 1 ? operations[0] : operations.find((o) => o.name && o.name.value === operationName);
  if (!operation) return null;
  const found = fieldsAt(document, operation, suggestion.path.split('.'));
  if (found.length === 0) return null;
  const state = { query, splices: [], variables: structuredClone(variables), document, operation };
  const change = { REDUCE_ARGUMENT: reduce, NARROW_RANGE: narrow, DROP_FIELD: drop, SPLIT_OPERATION: split }[suggestion.kind];
  if (!change || !change(state, found, suggestion)) return null;
  return { query: spliced(query, state.splices), variables: state.variables };
}

// fieldsAt are the fields whose response keys lead along the path, wherever the
// document writes them.
function fieldsAt(document, operation, keys) {
  const fragments = new Map(document.definitions.filter((d) => d.kind === 'FragmentDefinition').map((d) => [d.name.value, d]));
  let sets = [operation.selectionSet];
  let found = new Map();
  for (const key of keys) {
    found = new Map();
    const seen = new Set();
    const collect = (set) => {
      if (seen.has(set)) return;
      seen.add(set);
      for (const s of set.selections) {
        if (s.kind === 'Field') {
          if ((s.alias || s.name).value === key) found.set(s, set);
        } else if (s.kind === 'InlineFragment') {
          collect(s.selectionSet);
        } else if (fragments.has(s.name.value)) {
          collect(fragments.get(s.name.value).selectionSet);
        }
      }
    };
    sets.forEach(collect);
    sets = [...found.keys()].map((f) => f.selectionSet).filter(Boolean);
  }
  return [...found].map(([field, set]) => ({ field, set }));
}

function spliced(text, splices) {
  for (const s of [...splices].sort((a, b) => b.start - a.start)) {
    text = text.slice(0, s.start) + s.text + text.slice(s.end);
  }
  return text;
}

function reduce(state, found, { argument, maxAccepted }) {
  return found.every(({ field }) => setArgument(state, field, argument.split('.'), String(maxAccepted), maxAccepted));
}

// narrow keeps the end of a range and moves its beginning; both days count.
function narrow(state, found, { argument, maxAccepted }) {
  const days = Number(/^P(\d+)D$/.exec(maxAccepted)?.[1]);
  return days > 0 && found.every(({ field }) => {
    const to = readArgument(state, field, [...argument.split('.'), 'to']);
    const end = new Date(to + 'T00:00:00Z');
    if (typeof to !== 'string' || isNaN(end)) return false;
    const from = new Date(end - (days - 1) * 86_400_000).toISOString().slice(0, 10);
    return setArgument(state, field, [...argument.split('.'), 'from'], JSON.stringify(from), from);
  });
}

function readArgument(state, field, [name, ...keys]) {
  let value = field.arguments.find((a) => a.name.value === name)?.value;
  while (value && value.kind === 'ObjectValue') {
    const key = keys.shift();
    value = value.fields.find((f) => f.name.value === key)?.value;
  }
  if (!value) return undefined;
  if (value.kind !== 'Variable') return keys.length === 0 ? value.value : undefined;
  return keys.reduce((v, key) => v?.[key], state.variables[value.name.value]);
}

// setArgument writes a value into an argument, or into the variable that is
// given for it. literal is its text in a document, json in the variables.
function setArgument(state, field, [name, ...keys], literal, json) {
  const argument = field.arguments.find((a) => a.name.value === name);
  if (argument) return setValue(state, argument.value, keys, literal, json);
  const text = name + ': ' + nested(keys, literal);
  const first = field.arguments[0];
  const at = first ? first.loc.start : field.name.loc.end;
  state.splices.push({ start: at, end: at, text: first ? text + ', ' : '(' + text + ')' });
  return true;
}

function setValue(state, value, keys, literal, json) {
  if (value.kind === 'Variable') return setVariable(state.variables, [value.name.value, ...keys], json);
  if (keys.length === 0) {
    state.splices.push({ start: value.loc.start, end: value.loc.end, text: literal });
    return true;
  }
  if (value.kind !== 'ObjectValue') return false;
  const member = value.fields.find((f) => f.name.value === keys[0]);
  if (member) return setValue(state, member.value, keys.slice(1), literal, json);
  const at = value.loc.start + 1;
  const text = keys[0] + ': ' + nested(keys.slice(1), literal) + (value.fields.length > 0 ? ', ' : '');
  state.splices.push({ start: at, end: at, text });
  return true;
}

function nested(keys, literal) {
  return keys.reduceRight((inner, key) => '{' + key + ': ' + inner + '}', literal);
}

function setVariable(variables, keys, json) {
  const last = keys.pop();
  for (const key of keys) {
    if (typeof variables[key] !== 'object' || variables[key] === null) variables[key] = {};
    variables = variables[key];
  }
  variables[last] = json;
  return true;
}

// drop takes the field's text away, with its line where it fills one.
function drop(state, found) {
  return found.every(({ field, set }) => {
    if (set.selections.length < 2) return false;
    state.splices.push(wholeLines(state.query, field.loc));
    return true;
  });
}

function wholeLines(query, { start, end }) {
  const before = query.lastIndexOf('\n', start - 1) + 1;
  const after = query.indexOf('\n', end);
  const alone = query.slice(before, start).trim() === '' && after >= 0 && query.slice(end, after).trim() === '';
  return alone ? { start: before, end: after + 1, text: '' } : { start, end, text: '' };
}

// split moves a root field into an operation of its own, with the variables it
// uses, and leaves the others where they are.
function split(state, found) {
  const { query, operation } = state;
  if (found.length !== 1 || found[0].set !== operation.selectionSet || operation.selectionSet.selections.length < 2) return false;
  const { field } = found[0];
  if (!drop(state, found)) return false;
  const text = (node) => query.slice(node.loc.start, node.loc.end);
  const inField = text(field);
  const below = withFragments(state.document, field).map(text).join(' ');
  const rest = spliced(query, [{ start: field.loc.start, end: field.loc.end, text: '' }]);
  const uses = (where, definition) => (where.match(new RegExp('\\$' + definition.variable.name.value + '\\b', 'g')) || []).length;
  const moved = operation.variableDefinitions.filter((d) => uses(below, d) > 0);
  const stale = operation.variableDefinitions.filter((d) => uses(rest, d) < 2);
  for (const d of stale) state.splices.push({ start: d.loc.start, end: d.loc.end, text: '' });
  if (stale.length > 0 && stale.length === operation.variableDefinitions.length) {
    const open = query.lastIndexOf('(', operation.variableDefinitions[0].loc.start);
    const close = query.indexOf(')', operation.variableDefinitions.at(-1).loc.end);
    state.splices.push({ start: open, end: open + 1, text: '' }, { start: close, end: close + 1, text: '' });
  }
  const name = operation.name ? operation.name.value : '';
  if (!name) {
    const at = operation.loc.start;
    const word = query.startsWith('{', at) ? operation.operation + ' Rest ' : '';
    if (word) state.splices.push({ start: at, end: at, text: word });
    else state.splices.push({ start: at + operation.operation.length, end: at + operation.operation.length, text: ' Rest' });
  }
  const key = (field.alias || field.name).value;
  const own = (name || '') + key[0].toUpperCase() + key.slice(1);
  const variables = moved.length > 0 ? '(' + moved.map(text).join(', ') + ')' : '';
  state.splices.push({ start: query.length, end: query.length, text: `\n${operation.operation} ${own}${variables} {\n  ${inField}\n}\n` });
  return true;
}

// withFragments is a field and all fragments that are spread below it.
function withFragments(document, field) {
  const found = [field];
  const look = (set) => {
    for (const s of set ? set.selections : []) {
      const fragment = s.kind === 'FragmentSpread' && document.definitions.find((d) => d.kind === 'FragmentDefinition' && d.name.value === s.name.value);
      if (fragment && !found.includes(fragment)) {
        found.push(fragment);
        look(fragment.selectionSet);
      }
      look(s.selectionSet);
    }
  };
  look(field.selectionSet);
  return found;
}
