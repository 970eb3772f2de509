/* Drawing what the address names after its #: everything, a section, or one account of it. */

let turn = 0;
const shown = [];

async function draw() {
  const mine = ++turn;
  const theme = readTheme();
  const made = shownSections().map((section) => frameSection(section, theme));
  for (const chart of shown.splice(0)) chart.finalize();
  document.getElementById("sections").replaceChildren(...made.map(([section]) => section));
  await new Promise(requestAnimationFrame); // numbers first, charts then
  for (const [chart, spec] of made.flatMap(([, charts]) => charts)) {
    if (mine === turn) await show(chart, spec, theme);
  }
  if (mine === turn) {
    document.body.dataset.drawn = addressOfChosen() || "all";
    performance.mark("drawn");
  }
}

/* A section with everything but its drawings, and where these go. */
function frameSection(section, theme) {
  const figures = [...(several(section) ? [section.accounts] : []), ...section.figures];
  const made = figures.map((figure) => frame(figureOf(section, figure, theme)));
  const id = `about-${section.name}`;
  const framed = element(
    "section",
    {},
    element("h2", { id }, section.title + whose(section)),
    element("dl", { className: "tiles" }, ...section.tiles.map((tile) => tileOf(section, tile))),
    element("p", { className: "warning", role: "status" }, warning(section)),
    element("div", { className: "figures" }, ...made.map(([figure]) => figure)),
  );
  framed.setAttribute("aria-labelledby", id);
  return [framed, made.filter(([, , spec]) => spec).map(([, chart, spec]) => [chart, spec])];
}

function whose(section) {
  if (several(section)) return `: ${plural(section)}`;
  return section.ids.length ? `: ${nameOf(section, accountOf(section) ?? 0)}` : "";
}

function warning(section) {
  const lost = section.lost ? of(section, section.accounts).filter((row) => row[section.lost]).length : 0;
  if (!lost) return "";
  return several(section)
    ? `Access to ${lost} of ${section.ids.length} ${section.word}s is lost: their numbers stand still.`
    : `Access to this ${section.word} is lost: its numbers stand still.`;
}

/* A figure with everything but its drawing, and where that goes. */
function frame({ title, note, empty, wide, spec, onlyTable, table }) {
  const chart = spec ? element("div", { className: "chart" }) : null;
  const caption = element(
    "figcaption",
    {},
    element("h3", {}, title),
    element("p", { className: "note" }, note),
  );
  const instead = spec || onlyTable ? null : element("p", { className: "empty" }, empty);
  const details = spec
    ? element("details", {}, element("summary", {}, "As a table"), table())
    : onlyTable
      ? table()
      : null;
  const figure = element("figure", { className: wide ? "wide" : "" }, caption, chart, instead, details);
  return [figure, chart, spec];
}

async function show(chart, spec, theme) {
  const tooltip = { theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light" };
  const options = { actions: false, renderer: "svg", ast: true, tooltip };
  shown.push(await vegaEmbed(chart, { ...spec, config: configure(theme) }, options));
}

const addressOfChosen = () => (chosen.section ? addressOf(chosen.section, chosen.account) : "");

/* All that can be chosen, by section. */
const CHOICES = sections.map((section) => [
  section,
  [...(section.ids.length === 1 ? [] : [null]), ...section.ids.keys()],
]);

function choose() {
  const wanted = location.hash.slice(1);
  const found = CHOICES.flatMap(([section, accounts]) => accounts.map((account) => ({ section, account }))).find(
    ({ section, account }) => addressOf(section, account) === wanted,
  );
  chosen = found ?? EVERYTHING;
  document.getElementById("shown").value = addressOfChosen();
  delete document.body.dataset.drawn;
  return draw();
}

function begin() {
  const select = document.getElementById("shown");
  const option = (value, label) => element("option", { value }, label);
  if (sections.length > 1) select.append(option("", "everything"));
  for (const [section, accounts] of CHOICES) {
    const named = accounts
      .filter((account) => account !== null)
      .sort((a, b) => nameOf(section, a).localeCompare(nameOf(section, b)));
    const all = accounts.includes(null) ? [null] : [];
    const options = [...all, ...named].map((account) => {
      const label = account !== null ? nameOf(section, account) : section.word ? plural(section) : section.title;
      const everything = sections.length === 1 && (account === null || accounts.length === 1);
      return option(everything ? "" : addressOf(section, account), label);
    });
    select.append(...(section.word ? [element("optgroup", { label: section.title }, ...options)] : options));
  }
  select.addEventListener("change", () => {
    location.hash = select.value;
  });
  document.getElementById("about").textContent =
    `As of ${moment(report.made_at)} UTC` +
    (report.personal ? ". Holds personal data: share it with care." : ", without personal data.");
  addEventListener("hashchange", choose);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return choose();
}

begin();
