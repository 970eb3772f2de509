-- Grain: client_id, id
-- Leads that exist, with the best time known: start here for anything about leads.
-- client_id: the client account
-- id: the lead
-- happened_at: when it became a lead: as the API says, else when first seen
-- time_source: `reported` by the API, `first_seen`, or `backfill`: seen in the first complete read, time unknown
-- is_qualified: whether `qualification_status` is `qualified`
-- person [profile_url]: handle in the profile's URL, or its hash, to find the same person in activity; null if masked or dropped
SELECT
    leads.client_id,
    leads.id,
    coalesce(leads.reported_at, leads.first_seen_at) AS happened_at,
    CASE
        WHEN leads.reported_at IS NOT NULL THEN 'reported'
        WHEN leads.first_seen_at > backfill.ended_at THEN 'first_seen'
        ELSE 'backfill'
    END AS time_source,
    coalesce(lower(leads.qualification_status) = 'qualified', false) AS is_qualified,
    leads.person,
    {leads.columns}
FROM {leads} AS leads
LEFT JOIN (
    SELECT client_id, min(finished) AS ended_at
    FROM {sync_log}
    WHERE resource = 'leads' AND status = 'ok'
    GROUP BY client_id
) AS backfill ON backfill.client_id = leads.client_id
WHERE leads.deleted_at IS NULL
