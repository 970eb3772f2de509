SELECT CAST(NULL AS text) AS account, week, vendor, count(*) AS leads
FROM (
    SELECT
        leads.vendor,
        CAST(
            date_trunc(
                'week',
                coalesce(
                    leads.created_at, CASE WHEN leads.first_seen_at > health.backfilled_at THEN leads.first_seen_at END
                ) AT TIME ZONE 'UTC'
            ) AS date
        ) AS week
    FROM {all_leads} AS leads
    LEFT JOIN {sync_health} AS health
        ON health.source = leads.source AND health.account = leads.account AND health.resource = 'leads'
) AS dated
WHERE week IS NULL OR week > {since}
GROUP BY week, vendor
