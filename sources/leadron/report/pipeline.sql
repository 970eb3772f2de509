SELECT
    tenant_id AS account,
    coalesce(status, 'unknown') AS status,
    count(*) AS leads,
    count(*) FILTER (WHERE days < 7) AS under_7_days,
    count(*) FILTER (WHERE days >= 7 AND days < 30) AS under_30_days,
    count(*) FILTER (WHERE days >= 30 AND days < 90) AS under_90_days,
    count(*) FILTER (WHERE days >= 90) AS older
FROM (
    SELECT
        tenant_id,
        status,
        extract(EPOCH FROM ({now} - created_at)) / 86400.0 AS days
    FROM {leads_current} AS leads
) AS aged
GROUP BY tenant_id, status
