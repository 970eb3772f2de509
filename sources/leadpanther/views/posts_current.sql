-- Grain: client_id, id
-- Posts that exist, drafts too, with the best time known.
-- client_id: the client account
-- id: the post
-- happened_at: when it was published or is to be: as the API says, else when first seen
-- time_source: `reported` by the API, `first_seen`, or `backfill`: seen in the first complete read, time unknown
SELECT
    posts.client_id,
    posts.id,
    coalesce(posts.reported_at, posts.first_seen_at) AS happened_at,
    CASE
        WHEN posts.reported_at IS NOT NULL THEN 'reported'
        WHEN posts.first_seen_at > backfill.ended_at THEN 'first_seen'
        ELSE 'backfill'
    END AS time_source,
    {posts.columns}
FROM {posts} AS posts
LEFT JOIN (
    SELECT client_id, min(finished) AS ended_at
    FROM {sync_log}
    WHERE resource = 'posts' AND status = 'ok'
    GROUP BY client_id
) AS backfill ON backfill.client_id = posts.client_id
WHERE posts.deleted_at IS NULL
