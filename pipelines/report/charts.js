/* Charts as Vega-Lite describes them: rows in, a specification out. */

const DAY = 864e5;
const daysAfter = (day, n) => new Date(Date.parse(day) + n * DAY).toISOString();

/* The page's own colours, as they are in light or dark mode now. */
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue(`--${name}`).trim();
  const colors = value("colors")
    .split(",")
    .map((color) => color.trim());
  return { text: value("text"), quiet: value("quiet"), line: value("line"), card: value("card"), colors };
}

function configure(theme) {
  const axis = {
    labelColor: theme.quiet,
    titleColor: theme.quiet,
    gridColor: theme.line,
    domainColor: theme.line,
    tickColor: theme.line,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
  };
  return {
    background: null,
    font: getComputedStyle(document.body).fontFamily,
    view: { stroke: null },
    axis,
    axisY: { tickCount: 5, domain: false, ticks: false },
    legend: {
      labelColor: theme.text,
      labelFontSize: 12,
      title: null,
      orient: "top",
      symbolType: "square",
      columnPadding: 14,
    },
    mark: { aria: false }, // the table below a chart says it better
    text: { color: theme.text, fontSize: 12 },
  };
}

const base = (description, values, more) => ({
  $schema: "https://vega.github.io/schema/vega-lite/v6.json",
  description,
  data: { values },
  width: "container",
  autosize: { type: "fit-x", contains: "padding" },
  ...more,
});

/* Bars along time, stacked. Each row: from, to, series, n. */
function timeline(description, rows, series, colors, [since, until], measure, theme) {
  const [start, end] = [Date.parse(since), Date.parse(until)];
  const legend =
    series.length > 1
      ? { columns: Math.max(2, Math.min(series.length, Math.floor(innerWidth / 130))) }
      : null;
  const tooltip = [
    { field: "day", title: "from" },
    { field: "n", title: measure, format: "," },
  ];
  return base(description, stacked(rows, end), {
    height: 220,
    mark: { type: "rect", stroke: theme.card, strokeWidth: 0.5 },
    encoding: {
      x: {
        field: "from",
        type: "quantitative",
        title: null,
        scale: { domain: [start, end], nice: false, zero: false },
        axis: {
          values: ticks(start, end),
          labelExpr: "utcFormat(datum.value, '%-d %b')",
          grid: false,
          labelFlush: true,
          labelSeparation: 12,
        },
      },
      x2: { field: "to" },
      y: { field: "low", type: "quantitative", title: null, axis: { format: "~s", tickMinStep: 1 } },
      y2: { field: "high" },
      color: { field: "series", type: "nominal", scale: { domain: series, range: colors }, legend },
      tooltip: legend ? [tooltip[0], { field: "series", title: "kind" }, tooltip[1]] : tooltip,
    },
  });
}

/* Rows with where their bars begin and end, which is now at the latest: what shrank goes below zero. */
function stacked(rows, end) {
  const reached = new Map();
  return rows.map((row) => {
    const stack = `${row.from} ${row.n < 0}`;
    const low = reached.get(stack) ?? 0;
    reached.set(stack, low + row.n);
    return {
      ...row,
      day: row.from.slice(0, 10),
      from: Date.parse(row.from),
      to: Math.min(Date.parse(row.to), end),
      low,
      high: low + row.n,
    };
  });
}

/* Every other Monday. */
function ticks(start, end) {
  const monday = start + ((8 - new Date(start).getUTCDay()) % 7) * DAY;
  return Array.from({ length: Math.ceil((end - monday) / (14 * DAY)) }, (_, n) => monday + n * 14 * DAY);
}

/* Bars below each other, with what they are above them and the number beside. Each row: label, n, says. */
function ranking(description, rows, color) {
  const most = Math.max(1, ...rows.map((row) => row.n));
  const room = innerWidth < 500 ? 1.9 : 1.5; // for what stands beside the longest
  const numbered = rows.map((row, place) => ({ ...row, place }));
  const y = { field: "place", type: "ordinal", axis: null, scale: { padding: 0 } };
  return base(description, numbered, {
    height: 42 * rows.length,
    encoding: { y },
    layer: [
      {
        mark: { type: "text", align: "left", baseline: "middle", dy: -9, limit: { expr: "width" } },
        encoding: { x: { value: 0 }, text: { field: "label" } },
      },
      {
        mark: { type: "bar", height: 14, yOffset: 8, cornerRadiusEnd: 3, minBandSize: 14, color },
        encoding: {
          x: { field: "n", type: "quantitative", axis: null, scale: { domain: [0, most * room] } },
          tooltip: [
            { field: "label", title: "what" },
            { field: "says", title: "how much" },
          ],
        },
      },
      {
        mark: { type: "text", align: "left", baseline: "middle", dx: 6, dy: 8 },
        encoding: { x: { field: "n", type: "quantitative" }, text: { field: "says" } },
      },
    ],
  });
}
