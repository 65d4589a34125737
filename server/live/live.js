// The live page asks /debug/limits once a second and draws what it says. Whatever
// clients call themselves becomes text, never markup.
"use strict";

const $ = (id) => document.getElementById(id);

// el makes an element with its class and its children; texts become text nodes.
function el(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// svg makes a drawing's part.
function svg(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

const count = (n) => n.toLocaleString("en");
const percent = (share) => Math.round(100 * share) + " %";
function time(ms) {
  if (ms < 10) return ms.toFixed(1) + " ms";
  if (ms < 1000) return ms.toFixed(0) + " ms";
  if (ms < 120000) return (ms / 1000).toFixed(1) + " s";
  if (ms < 7200000) return Math.round(ms / 60000) + " min";
  return Math.round(ms / 3600000) + " h";
}
const clock = (at) => new Date(at).toTimeString().slice(0, 8);
const tenant = (s) => s.workspaceId ? `${s.workspace} (${s.workspaceId})` : s.workspace;

let seconds = []; // of the last five minutes, oldest first
const kept = 300;

function keep(news) {
  const last = seconds.length ? seconds[seconds.length - 1].at : 0;
  seconds.push(...(news || []).filter((s) => s.at > last));
  seconds = seconds.slice(-kept);
}

function showState(v) {
  const parts = [];
  const add = (text, className) => parts.push(el("span", className || "", text));
  if (v.headroom) parts.push(el("span", "", el("b", "", v.headroom.ratio.toFixed(1) + " x"), " the busiest minute fits"));
  add(`gate ${v.gate}`);
  add(v.cores === 1 ? "1 core" : `${v.cores} cores`);
  if (v.servers) add(v.servers === 1 ? "1 server" : `${v.servers} servers`);
  add(`slowdown ${v.slowdown.toFixed(1)}`, v.slowdown >= 3 ? "bad" : "");
  if (v.slots.taken !== null) add(`report slots ${v.slots.taken} of ${v.slots.all}`);
  if (v.demotion.state === "refused") add("reports do not yield the processor");
  if (v.crowded) add("crowd", "bad");
  if (v.brownout) add(`brownout ${v.brownout.replace("_", " ")}${v.brownoutOf ? ` of workspace ${v.brownoutOf}` : ""}`, "bad");
  if (v.draining) add("draining", "bad");
  add(v.databaseUp ? "database answers" : "the database is away", v.databaseUp ? "" : "bad");
  $("state").replaceChildren(...parts.flatMap((p, i) => i ? [" · ", p] : [p]));
}

// A storm is told by refusals or waiting, not by load alone.
function showCulprit(v) {
  const box = $("culprit"), c = v.askers[0];
  $("remedy").hidden = true;
  if (!c) {
    $("verdict").className = "verdict";
    box.replaceChildren(el("p", "kicker", "In the last minute"), el("p", "names", "Nobody asked for anything"));
    return;
  }
  const refused = v.tenants.reduce((n, t) => n + t.refused, 0), late = v.tenants.reduce((n, t) => n + t.late, 0);
  const storm = refused + late > 0;
  $("verdict").className = storm ? "verdict storm" : "verdict";
  const [name, hash] = c.operation.split("#");
  const names = el("p", "names", tenant(c), el("i", "", " · "), name || "(unnamed operation)", " ", el("small", "", hash ? "#" + hash : ""), el("i", "", " · "), c.client);
  const figures = `${percent(c.share)} of the points that were asked for: ${count(c.ran)} ran, ${count(c.refused)} refused, ${count(c.late)} late` +
    (storm ? `; in all ${count(refused)} refused and ${count(late)} late` : "");
  box.replaceChildren(el("p", "kicker", c.blocked ? "Asked for most in the last minute, and is blocked now" : "Asked for most in the last minute"), names, el("p", "", figures));
  if (storm && c.share >= 0.5 && c.block && !c.blocked) {
    const remedy = `headroom gate block ${c.block} --for 10m --reason "…"`;
    if ($("remedy").textContent !== remedy) $("remedy").textContent = remedy; // what is being copied stays
    $("remedy").hidden = false;
  }
}

function showOrders(v) {
  $("orders").hidden = v.orders.length === 0;
  $("orders").replaceChildren(...v.orders.map((o) =>
    el("p", "", `${o.text} for ${time(1000 * o.leftSeconds)} more: ${o.reason} (${o.by})` + (o.refused ? `, ${count(o.refused)} refused here` : ""))));
}

// draw stacks answered and refused operations, with those that wait as a line over
// them; both have a scale of their own, which is the text's business.
function draw(i, most, deepest) {
  const picture = svg("svg", { viewBox: `0 0 ${kept} 100`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const from = kept - seconds.length;
  const column = (values, base, className) => {
    let path = "";
    values.forEach((value, at) => {
      if (value > 0) path += `M${from + at} ${100 - (100 * base[at]) / most}v${(-100 * value) / most}h1v${(100 * value) / most}z`;
    });
    picture.append(svg("path", { d: path, class: className }));
  };
  const ran = seconds.map((s) => s.ran[i]), refused = seconds.map((s) => s.refused[i]);
  column(ran, ran.map(() => 0), "ran");
  column(refused, ran, "refused");
  if (deepest > 0) {
    picture.append(svg("polyline", { class: "queued", points: seconds.map((s, at) => `${from + at + 0.5},${97 - (90 * s.queued[i]) / deepest}`).join(" ") }));
  }
  return picture;
}

// strip draws one number over time, as an area below its line, the least at the bottom.
function strip(values, least, most, className) {
  const picture = svg("svg", { viewBox: `0 0 ${kept} 100`, preserveAspectRatio: "none", "aria-hidden": "true", class: "strip" });
  const from = kept - values.length;
  const height = (value) => 100 - (96 * (Math.max(value, least) - least)) / Math.max(most - least, 1e-9);
  if (values.length) {
    const line = values.map((value, at) => `L${from + at + 0.5},${height(value).toFixed(1)}`).join("");
    picture.append(svg("path", { class: className, d: `M${from + 0.5},100${line}L${from + values.length - 0.5},100z` }));
  }
  return picture;
}

const highest = (values, least) => values.reduce((most, value) => Math.max(most, value), least);

// drawn is a strip with what it shows and its highest value, which is its top.
function drawn(name, values, least, top, className, say) {
  const most = highest(values, least), now = values.length ? values[values.length - 1] : least;
  return el("div", "drawn",
    el("p", "", el("span", "", name), " ", el("b", "", say(now)), most > now ? ` · at most ${say(most)}` : ""),
    strip(values, least, Math.max(most, top), className));
}

// order has those first that are about most.
const order = [1, 2, 0, 3];

function showClasses(v) {
  $("classes").replaceChildren(...order.map((i) => {
    const c = v.classes[i];
    const most = Math.max(1, ...seconds.map((s) => s.ran[i] + s.refused[i]));
    const deepest = Math.max(0, ...seconds.map((s) => s.queued[i]));
    const last = seconds.slice(-10), mean = (list) => last.reduce((n, s) => n + s[list][i], 0) / Math.max(1, last.length);
    const fact = (name, value) => el("div", "", el("dt", "", name), el("dd", "", value));
    const refusing = mean("refused");
    const idle = seconds.every((s) => s.ran[i] + s.refused[i] + s.queued[i] === 0);
    return el("article", idle ? "class idle" : "class",
      el("h3", "", c.class, el("span", refusing > 0 ? "bad" : "", idle ? "nothing in five minutes" : refusing > 0 ? `${refusing.toFixed(1)} refused a second` : `${mean("ran").toFixed(1)} answered a second`)),
      ...(idle ? [] : [draw(i, most, deepest)]),
      ...(idle ? [] : [drawn("absorbed in", seconds.map((s) => s.absorbMs[i]), 0, 1000, "absorb", (ms) => ms > 0 ? time(ms) : "–")]),
      el("dl", "",
        fact("seats", `${c.busy} of ${c.seats}`),
        fact("waiting", count(c.queued) + (deepest > c.queued ? `, at most ${count(deepest)}` : "")),
        fact("holds a seat", c.heldMs > 0 ? time(c.heldMs) : "–"),
        ...(idle ? [] : [fact("top of the chart", `${count(most)} a second`)])));
  }));
}

// showDatabase draws how many times longer than forecast operations take. 1 is
// calm; the top is at least 3, from where on something is wrong.
function showDatabase(v) {
  const factor = (value) => `${value.toFixed(1)} x`;
  $("database").replaceChildren(el("article", v.slowdown >= 3 ? "class slow" : "class",
    el("h3", "", "database", el("span", v.databaseUp ? "" : "bad", v.databaseUp ? `work for ${(v.seconds || []).slice(-10).reduce((n, s) => n + s.work / 1000 / 10, 0).toFixed(2)} of ${v.cores === 1 ? "1 core" : v.cores + " cores"}` : "away")),
    drawn("slowdown", seconds.map((s) => s.slowdown), 1, 3, "slowdown", factor)));
}

// showRunning names what holds a seat for longest, by the id that headroom gate kill takes.
function showRunning(v) {
  const rows = v.running.slice(0, 5).map((r) =>
    el("li", "", el("time", "", time(r.ms)), el("span", "", [r.class, r.workspace, r.operation, r.client || "(unnamed)"].join(" · "), " ", el("code", "", r.request))));
  $("running").replaceChildren(...(rows.length ? rows : [el("li", "", el("span", "none", "nothing at this moment"))]));
}

function showSpenders(id, title, rows, label) {
  const head = el("thead", "", el("tr", "", ...[title, "asked", "work", "ran", "refused"].map((text) => {
    const th = el("th", "", text);
    th.scope = "col";
    return th;
  })));
  const body = el("tbody", "", ...rows.slice(0, 6).map((r) => {
    const bar = el("small", "");
    bar.style.setProperty("--share", percent(r.share).replace(" ", ""));
    const th = el("th", "", label(r), bar);
    th.scope = "row";
    th.title = label(r);
    return el("tr", "", th, el("td", "", percent(r.share)), el("td", "", time(r.work)), el("td", "", count(r.ran)), el("td", r.refused ? "bad" : "", count(r.refused)));
  }));
  if (!rows.length) {
    const td = el("td", "none", "nobody");
    td.colSpan = 5;
    body.append(el("tr", "", td));
  }
  $(id).replaceChildren(head, body);
}

function showChanges(v) {
  const rows = v.changes.slice(0, 12).map((d) => el("li", "", when(d), el("span", "", d.why)));
  $("changes").replaceChildren(...(rows.length ? rows : [el("li", "", el("span", "none", "nothing yet"))]));
}

function when(d) {
  const at = el("time", "", clock(d.at));
  at.dateTime = d.at;
  return at;
}

function showDecisions(v) {
  const rows = v.decisions.slice(0, 20).map((d) => {
    const verdict = d.count > 1 ? `${d.verdict} ${count(d.count)} x` : d.verdict;
    const who = [d.class, d.workspace, d.operation, d.client || "(unnamed)"].join(" · ");
    return el("li", d.verdict, when(d), el("b", "", verdict), el("span", "", who, " ", el("em", "", d.why)));
  });
  $("decisions").replaceChildren(...(rows.length ? rows : [el("li", "", el("span", "none", "none yet"))]));
}

function show(v) {
  keep(v.seconds);
  showState(v);
  showCulprit(v);
  showOrders(v);
  showClasses(v);
  showDatabase(v);
  showRunning(v);
  showSpenders("tenants", "workspace", v.tenants, tenant);
  showSpenders("operations", "operation", v.operations, (r) => r.operation);
  showSpenders("clients", "client", v.clients, (r) => r.client);
  showDecisions(v);
  showChanges(v);
  $("all").hidden = false;
  $("sign").hidden = true;
}

let token = sessionStorage.getItem("token") || "";

async function look() {
  const headers = token ? { Authorization: "Bearer " + token } : {};
  const many = seconds.length ? 10 : kept;
  const answer = await fetch(`/debug/limits?by=asked&seconds=${many}`, { headers, signal: AbortSignal.timeout(5000) });
  if (answer.status === 401) {
    $("sign").hidden = false;
    throw new Error(token ? "the server does not know this token" : "");
  }
  if (!answer.ok) throw new Error("the server answers " + answer.status);
  show(await answer.json());
}

async function go() {
  try {
    await look();
    $("lost").hidden = true;
  } catch (error) {
    $("lost").hidden = !error.message;
    $("lost").textContent = error.message && `What you see is old: ${error.message}`;
  }
  setTimeout(go, 1000);
}

$("sign").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  sessionStorage.setItem("token", token);
});
go();
