/* Drawing all figures of the client that the address names after its #, or of all of them. */

let turn = 0;
const shown = [];

async function draw() {
  const mine = ++turn;
  const theme = readTheme();
  const lost = of("clients").filter((row) => row.access_lost_at).length;
  document.getElementById("tiles").replaceChildren(...tiles());
  document.getElementById("warning").textContent = !lost
    ? ""
    : everyClient()
      ? `Access to ${lost} of ${report.ids.length} clients is lost: their numbers stand still.`
      : "Access to this client is lost: its numbers stand still.";
  const days = sumBy(of("days"), ["day"], ["impressions", ...KINDS]).sort((a, b) =>
    a.day.localeCompare(b.day),
  );
  const figures = [
    everyClient() ? clients() : null,
    leadsPerWeek(theme),
    funnel(theme),
    keywords(theme),
    posts(theme),
    magnets(theme),
    growth(theme, "Impressions per day", ["impressions"], days),
    growth(theme, "Reactions, comments and shares per day", KINDS, days),
    tables.hot ? hotLeads() : null,
    freshness(),
    missing(),
  ].filter(Boolean);
  const made = figures.map(frame);
  for (const chart of shown.splice(0)) chart.finalize();
  document.getElementById("figures").replaceChildren(...made.map(([figure]) => figure));
  await new Promise(requestAnimationFrame); // numbers first, charts then
  for (const [, chart, spec] of made) {
    if (spec && mine === turn) await show(chart, spec, theme);
  }
  if (mine === turn) {
    document.body.dataset.drawn = chosen === null ? "all" : report.ids[chosen];
    performance.mark("drawn");
  }
}

/* A figure with everything but its drawing, and where that goes. */
function frame({ title, note, empty, wide, spec, table, only }) {
  const chart = spec ? element("div", { className: "chart" }) : null;
  const instead = spec || only !== undefined ? null : element("p", { className: "empty" }, empty);
  const caption = element(
    "figcaption",
    {},
    element("h2", {}, title),
    element("p", { className: "note" }, note),
  );
  const details = spec
    ? element("details", {}, element("summary", {}, "As a table"), tableOf(title, ...table))
    : null;
  return [
    element("figure", { className: wide ? "wide" : "" }, caption, chart, instead, only ?? null, details),
    chart,
    spec,
  ];
}

async function show(chart, spec, theme) {
  const tooltip = { theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light" };
  const options = { actions: false, renderer: "svg", ast: true, tooltip };
  shown.push(await vegaEmbed(chart, { ...spec, config: configure(theme) }, options));
}

function choose() {
  const wanted = report.ids.findIndex((_, client) => addressOf(client) === location.hash);
  chosen = wanted < 0 ? ALL : wanted;
  document.getElementById("client").value = chosen === null ? "" : report.ids[chosen];
  delete document.body.dataset.drawn;
  return draw();
}

function begin() {
  const select = document.getElementById("client");
  const named = [...tables.clients].sort((a, b) => nameOf(a.client_id).localeCompare(nameOf(b.client_id)));
  if (ALL === null) select.append(element("option", { value: "" }, `all ${report.ids.length} clients`));
  select.append(
    ...named.map((row) => element("option", { value: report.ids[row.client_id] }, nameOf(row.client_id))),
  );
  select.addEventListener("change", () => {
    location.hash = select.value && encodeURIComponent(select.value);
  });
  document.getElementById("about").textContent =
    `As of ${moment(report.made_at)} UTC` +
    (report.personal ? ". Holds personal data: share it with care." : ", without personal data.");
  addEventListener("hashchange", choose);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return choose();
}

begin();
