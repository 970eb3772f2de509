/* Figures with a chart: title, note, what to say where there is nothing, and the chart with its table. */

const sources = sumBy(tables.weeks, ["source"], ["leads"])
  .sort((a, b) => b.leads - a.leads)
  .map((row) => row.source);

function period(days) {
  const until = daysAfter(report.made_at.slice(0, 10), 1);
  return [daysAfter(until, -days), until];
}

function leadsPerWeek(theme) {
  const shown = theme.colors.length - 1;
  const rows = sumBy(of("weeks"), ["week", "source"], ["leads"]);
  const dated = rows
    .filter((row) => row.week)
    .sort((a, b) => a.week.localeCompare(b.week) || sources.indexOf(a.source) - sources.indexOf(b.source));
  const undated = total(
    rows.filter((row) => !row.week),
    "leads",
  );
  const seriesOf = (source) => (sources.indexOf(source) < shown ? words(source) : "all others");
  const values = dated.map((row) => ({
    from: row.week,
    to: daysAfter(row.week, 6.5),
    series: seriesOf(row.source),
    n: row.leads,
  }));
  const series = [...new Set(sources.map(seriesOf))];
  return {
    title: "Leads per week, by source",
    note:
      `The last ${report.weeks} weeks; the latest is not over yet.` +
      (undated
        ? ` ${count(undated)} leads came before the first sync, nobody knows when: they are not in here.`
        : ""),
    empty: "No lead of these weeks.",
    wide: true,
    spec:
      values.length &&
      timeline(
        "Leads per week, stacked by source",
        values,
        series,
        theme.colors.slice(0, series.length),
        period(7 * report.weeks),
        "leads",
        theme,
      ),
    table: [
      [
        text("week of", (row) => row.week),
        text("source", (row) => words(row.source)),
        number("leads", "leads"),
      ],
      dated,
    ],
  };
}

function funnel(theme) {
  const rows = of("clients");
  const leads = total(rows, "leads");
  const steps = [
    ["Comments and messages", total(rows, "activity")],
    ["Leads", leads],
    ["Leads with intent", total(rows, "leads_with_intent")],
    ["Leads with intent, qualified", total(rows, "leads_hot")],
  ].map(([label, n], step) => ({
    label,
    n,
    part: step > 1 ? `${share(n, leads)} of leads` : "",
  }));
  const says = ({ n, part }) => [count(n), part].filter(Boolean).join(", ");
  const bars = steps.map((step) => ({ ...step, says: says(step) }));
  return {
    title: "From activity to qualified leads",
    note: "Everything that there is now.",
    empty: "No activity and no leads.",
    spec:
      steps.some((step) => step.n) &&
      ranking("Funnel: activity, leads, leads with intent, qualified ones of these", bars, theme.colors[0]),
    table: [
      [text("step", (row) => row.label), number("how many", "n"), text("share", (row) => row.part)],
      steps,
    ],
  };
}

function keywords(theme) {
  const rows = sumBy(of("keywords"), ["keyword"], ["leads", "activity", "leads_hot"]).sort(
    (a, b) => b.leads - a.leads || b.activity - a.activity,
  );
  const top = rows.slice(0, 10).map((row) => ({ label: row.keyword, n: row.leads, says: count(row.leads) }));
  return {
    title: "Keywords",
    note: "By leads whose latest keyword it is.",
    empty: "No keyword matched yet.",
    spec: top.length && ranking("Keywords by leads", top, theme.colors[0]),
    table: [
      [
        text("keyword", (row) => row.keyword, "long"),
        number("leads", "leads"),
        number("with intent, qualified", "leads_hot"),
        number("activity", "activity"),
      ],
      rows.slice(0, 100),
    ],
  };
}

function posts(theme) {
  const rows = of("posts");
  const engaged = (row) => (row.reactions ?? 0) + (row.comments ?? 0) + (row.shares ?? 0);
  const measures = [
    ["leads", (row) => row.leads ?? 0],
    ["comments and messages", (row) => row.activity],
    ["reactions, comments and shares", engaged],
  ];
  const [what, measure] = measures.find(([, each]) => rows.some((row) => each(row))) ?? measures[0];
  const best = [...rows].sort((a, b) => measure(b) - measure(a) || b.activity - a.activity).slice(0, 10);
  const label = (row) => row.text || `Post ${row.post_id.slice(0, 8)}`;
  const values = best.map((row) => ({ label: label(row), n: measure(row), says: count(measure(row)) }));
  return {
    title: "Top posts",
    note: `By ${what}.`,
    empty: "No posts.",
    spec: best.some(measure) && ranking(`Posts by ${what}`, values, theme.colors[0]),
    table: [
      withClient([
        text("post", label, "long"),
        text("published", (row) =>
          row.time_source === "backfill" ? "unknown" : (row.happened_at ?? "–").slice(0, 10),
        ),
        number("leads", "leads"),
        number("activity", "activity"),
        number("impressions", "impressions"),
        text("engagement", (row) => share(engaged(row), row.impressions), "number"),
      ]),
      best,
    ],
  };
}

function magnets(theme) {
  const best = [...of("magnets")].sort((a, b) => b.captures - a.captures).slice(0, 10);
  const label = (row) => row.title || `${words(row.delivery_mode)} ${row.lead_magnet_id.slice(0, 8)}`;
  const values = best.map((row) => ({
    label: label(row),
    n: row.captures,
    says: count(row.captures) + (row.views ? `, ${share(row.captures, row.views)} of views` : ""),
  }));
  return {
    title: "Top lead magnets",
    note: "By captures.",
    empty: "No captures yet.",
    spec: best.some((row) => row.captures) && ranking("Lead magnets by captures", values, theme.colors[0]),
    table: [
      withClient([
        text("lead magnet", label, "long"),
        number("views", "views"),
        number("captures", "captures"),
        text("of views", (row) => share(row.captures, row.views), "number"),
        number("last 28 days", "captures_last_28_days"),
        number("28 days before", "captures_previous_28_days"),
      ]),
      best,
    ],
  };
}

const KINDS = ["reactions", "comments", "shares"];

function growth(theme, title, kinds, rows) {
  const values = rows.flatMap((row) =>
    kinds.map((kind) => ({ from: row.day, to: daysAfter(row.day, 0.85), series: kind, n: row[kind] })),
  );
  return {
    title,
    note: `The last ${report.days} days. What posts had before they were first read is not in here.`,
    empty: "Growth shows once posts have been read on two days.",
    spec:
      values.some((value) => value.n) &&
      timeline(
        title,
        values,
        kinds,
        theme.colors.slice(0, kinds.length),
        period(report.days),
        "growth",
        theme,
      ),
    table: [[text("day", (row) => row.day), ...kinds.map((kind) => number(kind, kind))], rows],
  };
}
