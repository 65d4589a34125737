// Applies a suggestion of the server to a document and its variables. What the
// person wrote stays as it is; only the place concerned changes, and what nothing
// uses any more goes.
'use strict';

// applySuggestion returns {query, variables}, or null where the suggestion needs
// a person. variables is the parsed object.
function applySuggestion({ parse, visit }, query, variables, operationName, suggestion) {
  let document;
  try {
    document = parse(query);
  } catch {
    return null;
  }
  const operations = document.definitions.filter((d) => d.kind === 'OperationDefinition');
  const operation = operations.length === 1 ? operations[0] : operations.find((o) => o.name && o.name.value === operationName);
  if (!operation) return null;
  const state = { query, splices: [], variables: structuredClone(variables), document, operation };
  const change = {
    REDUCE_ARGUMENT: reduce, NARROW_RANGE: narrow, DROP_FIELD: drop, SPLIT_OPERATION: split,
    REDUCE_ALL: reduce, NARROW_ALL: narrow, DROP_FIELDS: drop,
  }[suggestion.kind];
  if (!change) return null;
  for (const place of suggestion.places || [suggestion]) {
    const found = fieldsAt(document, operation, place.path.split('.'));
    if (found.length === 0 || !change(state, found, { ...suggestion, ...place })) return null;
  }
  const changed = spliced(query, state.splices);
  try {
    return prune(visit, parse(changed), changed, state.variables);
  } catch {
    return null;
  }
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

// spliced replaces parts of a text, each once: a variable's default is that of all
// places that use it.
function spliced(text, splices) {
  const parts = new Map(splices.map((s) => [[s.start, s.end, s.text].join(), s]));
  for (const s of [...parts.values()].sort((a, b) => b.start - a.start)) {
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
  return readValue(state, field.arguments.find((a) => a.name.value === name)?.value, keys);
}

function readValue(state, value, keys) {
  if (value?.kind === 'Variable') {
    const unset = defaultOf(state, value);
    return unset ? readValue(state, unset, keys) : keys.reduce((v, key) => v?.[key], state.variables[value.name.value]);
  }
  if (keys.length === 0) return value?.value;
  return readValue(state, value?.fields?.find((f) => f.name.value === keys[0])?.value, keys.slice(1));
}

// defaultOf is the value in the document that a variable has, undefined where
// one is given for it.
function defaultOf({ operation, variables }, { name }) {
  if (name.value in variables) return undefined;
  return operation.variableDefinitions.find((d) => d.variable.name.value === name.value)?.defaultValue;
}

// setArgument writes a value into an argument, or into the variable that is
// given for it or that variable's default. literal is its text in a document, json in the variables.
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
  if (value.kind === 'Variable') {
    const unset = defaultOf(state, value);
    return unset ? setValue(state, unset, keys, literal, json) : setVariable(state.variables, [value.name.value, ...keys], json);
  }
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

// split moves a root field into an operation of its own. Both declare all
// variables here; prune leaves each its own.
function split(state, found) {
  const { query, operation } = state;
  if (found.length !== 1 || found[0].set !== operation.selectionSet || !drop(state, found)) return false;
  const { field } = found[0];
  const text = (node) => query.slice(node.loc.start, node.loc.end);
  const name = operation.name ? operation.name.value : '';
  if (!name) {
    const at = operation.loc.start;
    const word = query.startsWith('{', at) ? operation.operation + ' Rest ' : '';
    if (word) state.splices.push({ start: at, end: at, text: word });
    else state.splices.push({ start: at + operation.operation.length, end: at + operation.operation.length, text: ' Rest' });
  }
  const key = (field.alias || field.name).value;
  const own = name + key[0].toUpperCase() + key.slice(1);
  const definitions = operation.variableDefinitions.map(text).join(', ');
  const variables = definitions && '(' + definitions + ')';
  state.splices.push({ start: query.length, end: query.length, text: `\n${operation.operation} ${own}${variables} {\n  ${text(field)}\n}\n` });
  return true;
}

// prune takes away the fragments that no operation reaches, the variables that
// their operation does not use, and the values of those that none uses.
function prune(visit, document, query, variables) {
  const fragments = new Map(document.definitions.filter((d) => d.kind === 'FragmentDefinition').map((d) => [d.name.value, d]));
  const spread = new Set();
  const used = new Set();
  const declared = new Set();
  const cuts = [];
  for (const { variableDefinitions, ...operation } of document.definitions.filter((d) => d.kind === 'OperationDefinition')) {
    const needs = reach(visit, fragments, operation);
    needs.fragments.forEach((name) => spread.add(name));
    needs.variables.forEach((name) => used.add(name));
    variableDefinitions.forEach((d) => declared.add(d.variable.name.value));
    cuts.push(...cutDefinitions(variableDefinitions, needs.variables));
  }
  for (const [name, fragment] of fragments) {
    if (!spread.has(name)) cuts.push(wholeLines(query, fragment.loc));
  }
  const values = Object.entries(variables).filter(([name]) => used.has(name) || !declared.has(name));
  return { query: spliced(query, cuts), variables: Object.fromEntries(values) };
}

// reach is the names of the fragments and variables that a node uses, through
// fragments too.
function reach(visit, all, node) {
  const fragments = new Set();
  const variables = new Set();
  const look = (below) => visit(below, {
    Variable({ name }) {
      variables.add(name.value);
    },
    FragmentSpread({ name }) {
      if (fragments.has(name.value) || !all.has(name.value)) return;
      fragments.add(name.value);
      look(all.get(name.value));
    },
  });
  look(node);
  return { fragments, variables };
}

// cutDefinitions takes away the definitions of variables that are not used, with
// the parentheses where none is left.
function cutDefinitions(definitions, used) {
  const last = definitions.findLastIndex((d) => used.has(d.variable.name.value));
  if (definitions.length === 0) return [];
  const end = definitions.at(-1).loc;
  if (last < 0) {
    let open = definitions[0].loc.startToken;
    while (open.kind !== '(') open = open.prev;
    let close = end.endToken.next;
    while (close.kind !== ')') close = close.next;
    return [{ start: open.start, end: close.end, text: '' }];
  }
  const cuts = [{ start: definitions[last].loc.end, end: end.end, text: '' }];
  definitions.slice(0, last).forEach((d, i) => {
    if (!used.has(d.variable.name.value)) cuts.push({ start: d.loc.start, end: definitions[i + 1].loc.start, text: '' });
  });
  return cuts;
}
