/* Figures as their declarations say: title, note, what to say where there is nothing, and the chart with its table. */

const BARS = 10;

/* What a figure has to say: { note, spec, rows, columns }; without a picture, no spec. */
function figureOf(section, figure, theme) {
  const rows = together(figure, of(section, figure));
  const draw = { timeline: drawTimeline, ranking: drawRanking, steps: drawSteps }[figure.picture?.kind] ?? drawTable;
  const { note = "", spec = null, rows: shown = rows, columns = figure.columns } = draw(figure, rows, theme, section);
  const more =
    shown.length > figure.most && !spec ? ` The first ${count(figure.most)} of ${count(shown.length)}.` : "";
  return {
    title: figure.title,
    note: `${figure.counts}${note}${more}`,
    empty: figure.empty,
    wide: figure.wide,
    spec,
    onlyTable: !figure.picture && shown.length > 0,
    table: () => tableOf(section, figure, shown.slice(0, figure.most), columns),
  };
}

const drawTable = (figure, rows) => ({ rows });

function period(days) {
  const until = daysAfter(report.made_at.slice(0, 10), 1);
  return [daysAfter(until, -days), until];
}

const titleOf = (figure, name) => figure.columns.find((column) => column.name === name)?.title ?? words(name);

function drawTimeline(figure, rows, theme, section) {
  const { at, numbers, days, step, series, what } = figure.picture;
  const dated = rows.filter((row) => row[at]).sort((a, b) => a[at].localeCompare(b[at]));
  const undated = rows.filter((row) => !row[at]).reduce((sum, row) => sum + total(numbers.map((n) => ({ n: row[n] })), "n"), 0);
  const note = undated ? ` ${count(undated)} more, whose time nobody knows, are not in here.` : "";
  const named = series ? seriesOf(figure, section, theme) : (_, number) => titleOf(figure, number);
  const order = series ? named.all : numbers.map((number) => titleOf(figure, number));
  const values = dated.flatMap((row) =>
    numbers.map((number) => ({
      from: row[at],
      to: daysAfter(row[at], step * 0.9),
      series: named(row, number),
      n: row[number] ?? 0,
    })),
  );
  values.sort((a, b) => a.from.localeCompare(b.from) || order.indexOf(a.series) - order.indexOf(b.series));
  const colors = new Map(order.map((name, place) => [name, theme.colors[place]]));
  const drawn = order.filter((name) => values.some((value) => value.series === name && value.n));
  const spec = drawn.length
    ? timeline(figure.title, values.filter((value) => drawn.includes(value.series)), drawn, drawn.map((name) => colors.get(name)), period(days), what, theme)
    : null;
  return { note, spec, rows: dated };
}

/* Names of what is drawn upon each other, the largest first, whichever account is chosen; the smallest are one. */
function seriesOf(figure, section, theme) {
  const { numbers, series } = figure.picture;
  const column = figure.columns.find((each) => each.name === series);
  const sums = new Map();
  for (const row of figure.rows) {
    const name = written(row, column);
    sums.set(name, (sums.get(name) ?? 0) + (row[numbers[0]] ?? 0));
  }
  const names = [...sums.keys()].sort((a, b) => sums.get(b) - sums.get(a));
  const colors = theme.colors.length;
  const own = names.length > colors ? names.slice(0, colors - 1) : names;
  const named = (row) => (own.includes(written(row, column)) ? written(row, column) : "all others");
  named.all = names.length > colors ? [...own, "all others"] : own;
  return named;
}

function drawRanking(figure, rows, theme) {
  const { label, numbers, of: whole, of_what: ofWhat } = figure.picture;
  const measure = numbers.find((name) => rows.some((row) => row[name])) ?? numbers[0];
  const column = figure.columns.find((each) => each.name === label);
  const best = [...rows].sort((a, b) => (b[measure] ?? 0) - (a[measure] ?? 0));
  const bars = best.slice(0, BARS).map((row) => ({
    label: written(row, column),
    n: row[measure] ?? 0,
    says: count(row[measure] ?? 0) + (whole && row[whole] ? `, ${share(row[measure], row[whole])} of ${ofWhat}` : ""),
  }));
  const spec = bars.some((bar) => bar.n)
    ? ranking(`${figure.title}, by ${titleOf(figure, measure)}`, bars, theme.colors[0])
    : null;
  const which = best.length > BARS ? `The first ${BARS} of ${count(best.length)}, by` : "By";
  const note = numbers.length > 1 || best.length > BARS ? ` ${which} ${titleOf(figure, measure)}.` : "";
  return { note, spec, rows: best };
}

function drawSteps(figure, rows, theme) {
  const { numbers, of: whole } = figure.picture;
  const all = total(rows, whole);
  const steps = numbers.map((name, place) => {
    const part = place > numbers.indexOf(whole) ? share(total(rows, name), all) : "";
    return { label: titleOf(figure, name), n: total(rows, name), part };
  });
  const of = `of ${titleOf(figure, whole).toLowerCase()}`;
  const bars = steps.map((step) => ({
    ...step,
    says: [count(step.n), step.part && `${step.part} ${of}`].filter(Boolean).join(", "),
  }));
  const columns = [
    { name: "label", title: "what", kind: "text" },
    { name: "n", title: "how many", kind: "number" },
    { name: "part", title: of, kind: "text" },
  ];
  const spec = steps.some((step) => step.n) ? ranking(figure.title, bars, theme.colors[0]) : null;
  return { spec, rows: steps, columns };
}

/* Numbers above all figures. */

function tileOf(section, { title, number, note }) {
  const rows = of(section, section.accounts);
  const known = rows.filter((row) => row[number] !== null);
  return element(
    "div",
    {},
    element("dt", {}, title),
    element("dd", { className: "value" }, count(known.length || !rows.length ? total(known, number) : null)),
    element("dd", { className: "note" }, noteOf(rows, note)),
  );
}

/* A note with its numbers filled in; where nothing can be compared, that. */
function noteOf(rows, note) {
  const changes = note.match(/\{(\w+)-(\w+)\}/);
  if (changes) {
    const [slot, now, then] = changes;
    const known = rows.filter((row) => row[now] !== null && row[then] !== null);
    const before = total(known, then);
    return before ? note.replace(slot, change(total(known, now), before)) : "not comparable yet";
  }
  return note
    .replace(/\{(\w+)\/(\w+)\}/g, (_, part, whole) => share(total(rows, part), total(rows, whole)))
    .replace(/\{(\w+)\}/g, (_, name) => count(total(rows, name)));
}
