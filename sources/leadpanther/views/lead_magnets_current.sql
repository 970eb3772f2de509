-- Grain: client_id, id
-- Lead magnets that exist, with the best time known.
-- client_id: the client account
-- id: the lead magnet
-- happened_at: when it was made: as the API says, else when first seen
-- time_source: `reported` by the API, `first_seen`, or `backfill`: seen in the first complete read, time unknown
SELECT
    lead_magnets.client_id,
    lead_magnets.id,
    coalesce(lead_magnets.reported_at, lead_magnets.first_seen_at) AS happened_at,
    CASE
        WHEN lead_magnets.reported_at IS NOT NULL THEN 'reported'
        WHEN lead_magnets.first_seen_at > backfill.ended_at THEN 'first_seen'
        ELSE 'backfill'
    END AS time_source,
    {lead_magnets.columns}
FROM {lead_magnets} AS lead_magnets
LEFT JOIN (
    SELECT client_id, min(finished) AS ended_at
    FROM {sync_log}
    WHERE resource = 'lead_magnets' AND status = 'ok'
    GROUP BY client_id
) AS backfill ON backfill.client_id = lead_magnets.client_id
WHERE lead_magnets.deleted_at IS NULL
