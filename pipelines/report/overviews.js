/* Figures that are tables, and the tiles above all figures. */

function clients() {
  const growth28 = (row) => change(row.leads_last_28_days, row.leads_previous_28_days);
  const state = (row) =>
    row.access_lost_at
      ? `access lost ${row.access_lost_at.slice(0, 10)}`
      : row.resources_behind
        ? `${row.resources_behind} behind`
        : "up to date";
  const rows = [...of("clients")].sort(
    (a, b) => (b.leads_last_28_days ?? -1) - (a.leads_last_28_days ?? -1) || b.leads - a.leads,
  );
  const columns = [
    client,
    number("new, 28 days", "leads_last_28_days"),
    text("change", growth28, "number"),
    number("leads", "leads"),
    number("with intent, qualified", "leads_hot"),
    number("activity", "activity"),
    number("captures", "captures"),
    text("state", state),
  ];
  return {
    title: "Clients",
    note: "Choose one to see its charts.",
    wide: true,
    only: tableOf("Clients", columns, rows),
  };
}

function freshness() {
  const units = of("health");
  const rows = [...byResource(units)].map(([resource, all]) => {
    const times = all.map((row) => row.read_at ?? "").sort();
    return {
      resource,
      clients: all.length,
      oldest: times[0],
      newest: times.at(-1),
      behind: all.filter((row) => row.last_status !== "ok").length,
    };
  });
  const columns = everyClient()
    ? [
        text("table", (row) => words(row.resource)),
        text("longest ago", (row) => moment(row.oldest)),
        text("latest", (row) => moment(row.newest)),
        number("not up to date", "behind"),
      ]
    : [
        text("table", (row) => words(row.resource)),
        text("read to its end", (row) => moment(row.newest)),
        text("last time", (row) => units.find((unit) => unit.resource === row.resource).last_status),
      ];
  return {
    title: "How fresh it is",
    wide: true,
    note: "When each table was last read to its end, in UTC.",
    only: tableOf("Freshness", columns, rows),
  };
}

function byResource(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.resource, [...(groups.get(row.resource) ?? []), row]);
  return groups;
}

const OLD = 48 * 36e5;

function lacks() {
  const lost = of("clients").filter((row) => row.access_lost_at);
  const gone = new Set(lost.map((row) => row.client_id));
  const old = (row) => !row.read_at || Date.parse(report.made_at) - Date.parse(row.read_at) > OLD;
  const units = of("health").filter(
    (row) => !gone.has(row.client_id) && (row.last_status !== "ok" || old(row)),
  );
  const unit = (row) => [
    words(row.resource),
    row.last_status === "ok" ? "not read for two days" : row.last_status,
    row.last_note || "",
  ];
  return [
    ...lost.map((row) => ({
      client_id: row.client_id,
      what: "everything",
      why: `access lost since ${moment(row.access_lost_at)}`,
      since: row.last_run_at,
    })),
    ...units.map((row) => ({
      client_id: row.client_id,
      what: unit(row)[0],
      why: unit(row).slice(1).filter(Boolean).join(": "),
      since: row.read_at,
    })),
  ];
}

function missing() {
  const all = lacks();
  const who = (row) => (row.client_id === null ? nameOf(null) : client[1](row));
  const columns = [
    text("client", who, "long"),
    text("what", (row) => row.what),
    text("why", (row) => row.why, "long"),
    text("read to its end", (row) => moment(row.since)),
  ];
  const more = all.length > 200 ? ` The first 200 of ${count(all.length)}.` : "";
  const note = all.length
    ? `Not up to date, or out of reach.${more}`
    : "Nothing: everything was read to its end within two days.";
  return {
    title: "What is missing",
    wide: true,
    note,
    only: all.length ? tableOf("What is missing", columns, all.slice(0, 200)) : null,
  };
}

function hotLeads() {
  const rows = [...of("hot")]
    .sort((a, b) => ((a.happened_at ?? "") < (b.happened_at ?? "") ? 1 : -1))
    .slice(0, 50);
  const link = (row) =>
    /^https:\/\//.test(row.linkedin_profile_url ?? "")
      ? element("a", { href: row.linkedin_profile_url, rel: "noreferrer" }, row.name ?? "profile")
      : (row.name ?? "–");
  const columns = withClient([
    text("lead", link, "long"),
    text("headline", (row) => row.headline ?? "", "long"),
    text("source", (row) => words(row.source)),
    text("keyword", (row) => row.latest_keyword ?? ""),
    text("since", (row) =>
      row.time_source === "backfill" ? "unknown" : (row.happened_at ?? "").slice(0, 10),
    ),
  ]);
  return {
    title: "Whom to call",
    note: "Qualified leads with intent, the latest first.",
    wide: true,
    only: tableOf("Whom to call", columns, rows),
  };
}

function tile(title, value, note = "") {
  return element(
    "div",
    {},
    element("dt", {}, title),
    element("dd", { className: "value" }, count(value)),
    element("dd", { className: "note" }, note),
  );
}

function recent(days) {
  const known = of("clients").filter((row) => row[`leads_last_${days}_days`] !== null);
  const before = known.filter((row) => row[`leads_previous_${days}_days`] !== null);
  const [now, then] = ["last", "previous"].map((which) => total(before, `leads_${which}_${days}_days`));
  const note = then ? `${change(now, then)} on the ${days} days before` : "not comparable yet";
  return tile(`New leads, ${days} days`, known.length ? total(known, `leads_last_${days}_days`) : null, note);
}

function tiles() {
  const rows = of("clients");
  const leads = total(rows, "leads");
  return [
    recent(7),
    recent(28),
    tile("Leads", leads, `${count(total(rows, "leads_with_intent"))} with intent`),
    tile(
      "With intent, qualified",
      total(rows, "leads_hot"),
      `${share(total(rows, "leads_hot"), leads)} of leads`,
    ),
    tile(
      "Comments and messages",
      total(rows, "activity"),
      `on ${count(total(rows, "posts_published"))} published posts`,
    ),
    tile("Captures", total(rows, "captures"), "by lead magnets"),
  ];
}
