// The playground: GraphiQL with a tab for each main job, the token of the
// demo already set, and a panel that says what an operation will cost.
'use strict';

const token = document.body.dataset.token;
const headers = JSON.stringify({ Authorization: 'Bearer ' + (token || 'YOUR_TOKEN') }, null, 2);

const year = new Date().getFullYear();
const jobs = [
  [`# Your day: what an app shows when it starts.
query MyDay {
  viewer { user { name } role workspace { name timeZone } budget { currentlyAvailable } }
  myDay {
    day
    totals { seconds entryCount }
    entries {
      startedAt
      endedAt
      seconds
      description
      project { name client { name } }
      task { name }
    }
    running { startedAt description project { name } }
  }
}
`, {}],
  [`# Starts a timer and stops the one that runs.
mutation StartTimer($input: StartTimerInput!) {
  startTimer(input: $input) {
    timeEntry { id startedAt description }
    stopped { id seconds }
    userErrors { field code message }
  }
}
`, { input: { description: 'Trying headroom' } }],
  [`mutation StopTimer {
  stopTimer(input: {}) {
    timeEntry { id seconds }
    userErrors { code message }
  }
}
`, {}],
  [`# A page of entries; pass endCursor as after for the next one.
query Entries($first: Int!, $after: String) {
  timeEntries(first: $first, after: $after) {
    nodes {
      day
      seconds
      description
      user { name }
      project { name client { name } }
      tags { name }
      amount { minor currency }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`, { first: 20 }],
  [`# Where the year's time went, by client and month.
query Report($input: ReportInput!) {
  timesheetReport(input: $input) {
    source
    asOf
    totals { seconds billableSeconds entryCount amounts { minor currency } }
    rows {
      label
      totals { seconds }
      children { label totals { seconds amounts { minor currency } } }
    }
  }
}
`, { input: { period: { from: year + '-01-01', to: year + '-12-31' }, groupBy: ['CLIENT', 'MONTH'] } }],
  [`# What is used of the projects' budgets, and when they end at this pace.
query Budgets {
  projectBudgets(first: 20) {
    nodes {
      name
      client { name }
      budget { seconds amount { minor currency } period alerts }
      burn { seconds amount { minor currency } percent reached exhaustedOn }
    }
  }
}
`, {}],
  [`# What an hour is billed and what it costs, set last first.
query Rates {
  rates(first: 20) {
    nodes {
      kind
      scope
      amount { minor currency }
      effectiveFrom
      user { name }
      project { name }
      task { name }
    }
  }
}
`, {}],
  [`# What an hour is billed from today on; entries that are there keep their rates.
mutation SetRate($input: SetRateInput!) {
  setRate(input: $input) {
    rate { scope amount { minor currency } effectiveFrom }
    repriced
    userErrors { code field message }
  }
}
`, { input: { minor: 9500, effectiveFrom: new Date().toISOString().slice(0, 10), applyTo: 'FUTURE' } }],
  [`# 80 hours a month. The tab Projects shows the ids of projects.
mutation SetBudget($input: SetBudgetInput!) {
  setBudget(input: $input) {
    project { name budget { seconds period } burn { seconds percent reached } }
    userErrors { code field message }
  }
}
`, { input: { projectId: 'ID_OF_A_PROJECT', seconds: 288000, period: 'MONTHLY' } }],
  [`query Projects {
  projects(first: 50) {
    nodes {
      id
      name
      client { name }
      trackedSeconds
      tasks(first: 10) { nodes { name done } }
    }
  }
}
`, {}],
];

const tabs = jobs.map(([query, variables]) => ({
  query,
  variables: JSON.stringify(variables, null, 2),
  headers,
}));

const panel = costPanel(apply);
// The editor has no handle for its parts: the first tool below the query holds
// the variables, the second the headers.
const editors = ['query', 'variables', 'headers'];
function editorOf(name) {
  const parts = document.querySelectorAll('.graphiql-query-editor .CodeMirror, .graphiql-editor-tool .CodeMirror');
  return parts[editors.indexOf(name)]?.CodeMirror;
}

function post(path, body, own, signal) {
  return fetch(path, {
    method: 'POST',
    signal,
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      'apollographql-client-name': 'playground',
      ...own,
    },
    body: JSON.stringify(body),
  });
}

// fetcher runs an operation and asks for the cost of each field.
async function fetcher(params, options) {
  const own = params.operationName === 'IntrospectionQuery';
  if (!own) stopPricing();
  const body = own ? params : { ...params, extensions: { headroom: { explain: true } } };
  const response = await post('/graphql', body, options && options.headers);
  const answer = await response.json();
  if (!own) show(response.status, answer);
  return answer;
}

function show(status, answer) {
  const cost = answer.extensions && answer.extensions.cost;
  if (typeof cost?.actualQueryCost === 'number') panel.ran(cost);
  else if (answer.errors) panel.refused(status, answer.errors[0]);
}

// written is what the person has written, or an error where that is incomplete.
function written() {
  const query = editorOf('query').getValue();
  const operations = GraphiQL.GraphQL.parse(query).definitions.filter((d) => d.kind === 'OperationDefinition');
  const operationName = operations.length > 1 ? editorOf('query').operationName : undefined;
  const json = (name) => JSON.parse(editorOf(name)?.getValue().trim() || '{}');
  return { body: { query, operationName, variables: json('variables') }, headers: json('headers') };
}

let waiting, asking;

function stopPricing() {
  clearTimeout(waiting);
  if (asking) asking.abort();
}

// price asks what the operation in the editor would cost.
async function price() {
  stopPricing();
  let asked;
  try {
    asked = written();
  } catch (e) {
    panel.incomplete(e.message);
    return;
  }
  asking = new AbortController();
  try {
    const response = await post('/graphql/cost', asked.body, asked.headers, asking.signal);
    const answer = await response.json();
    if (answer.errors) panel.refused(response.status, answer.errors[0]);
    else panel.quoted(answer);
  } catch (e) {
    if (e.name !== 'AbortError') panel.incomplete('the server does not answer');
  }
}

function priceSoon() {
  stopPricing();
  waiting = setTimeout(price, 300);
}

// apply changes query or variables as a suggestion says; the change is priced
// like any other.
function apply(suggestion) {
  let body;
  let changed;
  try {
    ({ body } = written());
    changed = applySuggestion(GraphiQL.GraphQL, body.query, body.variables, body.operationName, suggestion);
  } catch (e) {
    panel.incomplete(e.message);
    return;
  }
  if (!changed) {
    panel.incomplete('this change needs a person: the place cannot be found in the document');
    return;
  }
  const set = (name, text) => {
    if (editorOf(name).getValue() !== text) editorOf(name).setValue(text);
  };
  set('query', changed.query);
  if (JSON.stringify(changed.variables) !== JSON.stringify(body.variables)) set('variables', JSON.stringify(changed.variables, null, 2));
  priceSoon();
}

// follow prices whatever is typed, once the editors are there.
function follow() {
  if (!editors.every(editorOf)) {
    requestAnimationFrame(follow);
    return;
  }
  for (const name of editors) editorOf(name).on('change', priceSoon);
  priceSoon();
}

function start() {
  const root = document.getElementById('playground');
  root.textContent = '';
  const page = document.createElement('div');
  page.className = 'page';
  const editor = document.createElement('div');
  editor.className = 'editor';
  page.append(editor, panel.element);
  root.append(page);

  ReactDOM.createRoot(editor).render(
    React.createElement(GraphiQL, {
      fetcher,
      defaultTabs: tabs,
      defaultHeaders: headers,
      shouldPersistHeaders: false,
      defaultEditorToolsVisibility: 'variables',
    })
  );
  panel.incomplete('reading the editor');
  follow();
}

// Without the editor's files the page keeps saying how to get them.
if (window.React && window.ReactDOM && window.GraphiQL) start();
