SELECT
    organization_id AS account,
    CAST(date_trunc('week', day) AS date) AS week,
    sum(CASE WHEN channel = 'text' AND starts_with(lower(direction), 'out') THEN messages ELSE 0 END) AS texts_out,
    sum(CASE WHEN channel = 'text' AND starts_with(lower(direction), 'in') THEN messages ELSE 0 END) AS texts_in,
    sum(CASE WHEN channel = 'call' AND starts_with(lower(direction), 'out') THEN messages ELSE 0 END) AS calls_out,
    sum(CASE WHEN channel = 'call' AND starts_with(lower(direction), 'in') THEN messages ELSE 0 END) AS calls_in
FROM {messages_daily} AS days
WHERE CAST(date_trunc('week', day) AS date) > {since}
GROUP BY organization_id, CAST(date_trunc('week', day) AS date)
