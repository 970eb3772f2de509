SELECT tenant_id AS account, week, source, count(*) AS leads
FROM (
    SELECT
        tenant_id,
        coalesce(source, 'unknown') AS source,
        CAST(date_trunc('week', created_at AT TIME ZONE 'UTC') AS date) AS week
    FROM {leads_current} AS leads
) AS dated
WHERE week IS NULL OR week > {since}
GROUP BY tenant_id, week, source
