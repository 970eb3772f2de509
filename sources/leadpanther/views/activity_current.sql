-- Grain: client_id, id
-- Comments and messages that exist, with the best time known.
-- client_id: the client account
-- id: the comment or message
-- happened_at: when it came in: as the API says, else when first seen
-- time_source: `reported` by the API, `first_seen`, or `backfill`: seen in the first complete read, time unknown
-- person [profile_url]: handle in the profile's URL, or its hash, to find the same person in leads; null if masked or dropped
SELECT
    activity.client_id,
    activity.id,
    coalesce(activity.reported_at, activity.first_seen_at) AS happened_at,
    CASE
        WHEN activity.reported_at IS NOT NULL THEN 'reported'
        WHEN activity.first_seen_at > backfill.ended_at THEN 'first_seen'
        ELSE 'backfill'
    END AS time_source,
    activity.person,
    {activity.columns}
FROM {activity} AS activity
LEFT JOIN (
    SELECT client_id, min(finished) AS ended_at
    FROM {sync_log}
    WHERE resource = 'activity' AND status = 'ok'
    GROUP BY client_id
) AS backfill ON backfill.client_id = activity.client_id
WHERE activity.deleted_at IS NULL
