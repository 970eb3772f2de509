SELECT
    account,
    coalesce(nullif(text, ''), 'Post ' || left(post_id, 8)) AS post,
    post_id,
    published,
    leads,
    activity,
    impressions,
    engaged
FROM (
    SELECT
        client_id AS account,
        text,
        post_id,
        CASE WHEN time_source <> 'backfill' THEN happened_at END AS published,
        leads,
        activity,
        impressions,
        coalesce(reactions, 0) + coalesce(comments, 0) + coalesce(shares, 0) AS engaged,
        row_number() OVER (
            PARTITION BY client_id
            ORDER BY coalesce(leads, 0) DESC, activity DESC, coalesce(impressions, 0) DESC, post_id
        ) AS place
    FROM {post_performance} AS posts
) AS ranked
WHERE place <= 10
