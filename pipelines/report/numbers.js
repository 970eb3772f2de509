/* The numbers of what is chosen, and the page's smallest parts. */

const report = JSON.parse(document.getElementById("data").textContent);
const NUMBER = new Intl.NumberFormat("en");
const count = (n) => (n == null ? "–" : NUMBER.format(n));
const share = (part, whole) =>
  part != null && whole ? `${NUMBER.format(Math.round((1000 * part) / whole) / 10)} %` : "–";
const change = (now, then) => (now != null && then ? `${now < then ? "" : "+"}${share(now - then, then)}` : "–");
const words = (name) => (name ?? "unknown").replaceAll("_", " ");
const moment = (time) => (time ? time.replace("T", " ").replace("Z", "") : "never");
const LIST = new Intl.ListFormat("en-GB", { type: "conjunction" });
const titles = (schemas) =>
  LIST.format((schemas ?? "unknown").split(", ").map((schema) => report.titles[schema] ?? schema));

/* Rows as objects. */
function read(figure) {
  const rows = figure.rows.map((row) => Object.fromEntries(figure.names.map((name, n) => [name, row[n]])));
  return { ...figure, rows };
}

const sections = report.sections.map((section) => ({
  ...section,
  accounts: read(section.accounts),
  figures: section.figures.map(read),
}));

/* What is shown: everything, or a section, or one account of it. */
const EVERYTHING = { section: null, account: null };
let chosen = EVERYTHING;

const shownSections = () => (chosen.section ? [chosen.section] : sections);
const accountOf = (section) => (chosen.section === section ? chosen.account : null);
const of = (section, figure) =>
  accountOf(section) === null ? figure.rows : figure.rows.filter((row) => row.account === accountOf(section));
const several = (section) => accountOf(section) === null && section.ids.length > 1;
const nameOf = (section, account) =>
  account === null
    ? "the key itself"
    : section.accounts.rows.find((row) => row.account === account)?.[section.named] || section.ids[account];
const addressOf = (section, account) =>
  [section.name, ...(account === null ? [] : [section.ids[account]])].map(encodeURIComponent).join("/");
const plural = (section) => `all ${section.ids.length} ${section.word}s`;

const total = (rows, name) => rows.reduce((sum, row) => sum + (row[name] ?? 0), 0);

const SUMS = {
  all: (a, b) => (typeof b === "number" ? (a ?? 0) + b : (a ?? b)),
  least: (a, b) => (a == null || b == null ? null : a < b ? a : b),
  most: (a, b) => (a == null || (b != null && b > a) ? b : a),
};

/* Rows of several accounts as one, in the order of the first ones. */
function together(figure, rows) {
  if (!figure.by.length) return rows;
  const sums = Object.fromEntries(figure.columns.map((column) => [column.name, SUMS[column.sum]]));
  const groups = new Map();
  for (const row of rows) {
    const key = figure.by.map((name) => row[name]).join("\u0000");
    const found = groups.get(key);
    if (!found) groups.set(key, { ...row });
    else
      for (const name of figure.names)
        if (!figure.by.includes(name)) found[name] = (sums[name] ?? SUMS.all)(found[name], row[name]);
  }
  return [...groups.values()];
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/* How values of a column are written. */
const WRITTEN = {
  text: (row, { name }) => row[name] ?? "–",
  word: (row, { name }) => words(row[name]),
  source: (row, { name }) => titles(row[name]),
  number: (row, { name }) => count(row[name]),
  share: (row, { name, of }) => share(row[name], row[of]),
  change: (row, { name, of }) => change(row[name], row[of]),
  day: (row, { name }) => (row[name] ?? "unknown").slice(0, 10),
  time: (row, { name }) => moment(row[name]),
};
const written = (row, column) => WRITTEN[column.kind](row, column);
const NUMERIC = ["number", "share", "change"];

function cell(row, column) {
  const address = column.link && row[column.link];
  return address ? element("a", { href: address, rel: "noreferrer" }, written(row, column)) : written(row, column);
}

/* Rows as a table; where there are several accounts, whose they are. */
function tableOf(section, figure, rows, columns = figure.columns) {
  const whose = {
    title: section.word,
    className: "long",
    show: (row) =>
      row.account === null
        ? nameOf(section, null)
        : element("a", { href: `#${addressOf(section, row.account)}` }, nameOf(section, row.account)),
  };
  const shown = columns.map((column) => ({
    title: column.title,
    className: NUMERIC.includes(column.kind) ? "number" : column.kind === "text" ? "long" : "",
    show: (row) => cell(row, column),
  }));
  if (several(section) && !figure.by.length && columns === figure.columns) shown.unshift(whose);
  const head = shown.map(({ title, className }) => element("th", { className, scope: "col" }, title));
  const body = rows.map((row) =>
    element("tr", {}, ...shown.map(({ show, className }) => element("td", { className }, show(row)))),
  );
  const table = element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
  const scroll = element("div", { className: "scroll", tabIndex: 0 }, table);
  scroll.setAttribute("role", "region");
  for (const each of [table, scroll]) each.setAttribute("aria-label", `${figure.title}, ${section.title}`);
  return scroll;
}
