// The playground: GraphiQL with a tab for each main job, the token of the
// demo already set, and a strip that says what the last operation cost.
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

const strip = document.createElement('div');
strip.id = 'price';
strip.setAttribute('role', 'status');
strip.textContent = 'Run an operation to see its price in points, about a millisecond each.';

function show(status, answer) {
  strip.replaceChildren();
  const add = (label, value, className) => {
    const item = document.createElement('span');
    const bold = document.createElement('b');
    bold.textContent = value;
    if (className) bold.className = className;
    item.append(label + ' ', bold);
    strip.append(item);
  };
  const cost = answer.extensions && answer.extensions.cost;
  const code = answer.errors && answer.errors[0].extensions && answer.errors[0].extensions.code;
  if (code) add('refused', code + ' (' + status + ')', 'refused');
  if (code && answer.errors[0].extensions.retryAfterMs) add('come back in', answer.errors[0].extensions.retryAfterMs + ' ms');
  if (!cost) return;
  add('estimated', cost.requestedQueryCost + ' points');
  if (cost.actualQueryCost !== null) add('actual', String(cost.actualQueryCost));
  add('class', cost.class);
  add('budget', Math.round(cost.throttleStatus.currentlyAvailable) + ' of ' + cost.throttleStatus.maximumAvailable);
}

async function fetcher(params, options) {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      'apollographql-client-name': 'playground',
      ...(options && options.headers),
    },
    body: JSON.stringify(params),
  });
  const answer = await response.json();
  if (params.operationName !== 'IntrospectionQuery') show(response.status, answer);
  return answer;
}

function start() {
  const root = document.getElementById('playground');
  root.textContent = '';
  const page = document.createElement('div');
  page.className = 'page';
  const editor = document.createElement('div');
  editor.className = 'editor';
  page.append(editor, strip);
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
}

// Without the editor's files the page keeps saying how to get them.
if (window.React && window.ReactDOM && window.GraphiQL) start();
