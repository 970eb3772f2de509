/* The numbers of the client that is chosen, or of all of them, and the page's smallest parts. */

const report = JSON.parse(document.getElementById("data").textContent);
const tables = Object.fromEntries(
  Object.entries(report.tables).map(([name, { columns, rows }]) => [
    name,
    rows.map((row) => Object.fromEntries(columns.map((column, n) => [column, row[n]]))),
  ]),
);
const ALL = report.ids.length === 1 ? 0 : null;
let chosen = ALL;

const of = (name) => (tables[name] ?? []).filter((row) => chosen === null || row.client_id === chosen);
const everyClient = () => chosen === null;
const total = (rows, name) => rows.reduce((sum, row) => sum + (row[name] ?? 0), 0);
const words = (name) => (name ?? "unknown").replaceAll("_", " ");
const moment = (time) => (time ? time.replace("T", " ").replace("Z", "") : "never");
const nameOf = (client) =>
  client === null ? "the key itself" : tables.clients[client].business_name || report.ids[client];

const addressOf = (client) => `#${encodeURIComponent(report.ids[client])}`;

/* Sums of numbers over rows that agree in some columns, in the order of their first rows. */
function sumBy(rows, keys, numbers) {
  const groups = new Map();
  for (const row of rows) {
    const key = keys.map((name) => row[name]).join("\u0000");
    const sums = groups.get(key) ?? Object.fromEntries(keys.map((name) => [name, row[name]]));
    for (const name of numbers) sums[name] = (sums[name] ?? 0) + (row[name] ?? 0);
    groups.set(key, sums);
  }
  return [...groups.values()];
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/* Rows as a table; each column: title, what to show of a row, and "number" or "long". */
function tableOf(label, columns, rows) {
  const cell = (tag, kind, content, more) => element(tag, { className: kind ?? "", ...more }, content);
  const head = columns.map(([title, , kind]) => cell("th", kind, title, { scope: "col" }));
  const body = rows.map((row) =>
    element("tr", {}, ...columns.map(([, show, kind]) => cell("td", kind, show(row)))),
  );
  const table = element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
  table.setAttribute("aria-label", label);
  const scroll = element("div", { className: "scroll", tabIndex: 0 }, table);
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", label);
  return scroll;
}

const client = [
  "client",
  (row) => element("a", { href: addressOf(row.client_id) }, nameOf(row.client_id)),
  "long",
];
const number = (title, name) => [title, (row) => count(row[name]), "number"];
const text = (title, show, kind) => [title, show, kind];
const withClient = (columns) => (everyClient() ? [client, ...columns] : columns);
