// Plain HTTP, for what GraphQL clients hide.

// The demo's owner sees everything in the workspace.
export const token = 'demo-owner';

// post sends one GraphQL request. headers replace the usual ones; null leaves
// one out.
export async function post(url, body, headers = {}) {
  const all = { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers };
  const response = await fetch(url, {
    method: 'POST',
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)),
    body: JSON.stringify(body),
  });
  return { status: response.status, type: response.headers.get('content-type'), headers: response.headers, body: await response.json() };
}

// counting is a fetch that keeps what was sent: its headers and its time.
export function counting() {
  const requests = [];
  const counted = (url, options) => {
    requests.push({ headers: new Headers(options.headers) });
    return fetch(url, options);
  };
  return { fetch: counted, requests };
}
