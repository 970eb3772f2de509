SELECT
    client_id AS account,
    day,
    sum(new_impressions) AS impressions,
    sum(new_reactions) AS reactions,
    sum(new_comments) AS comments,
    sum(new_shares) AS shares
FROM {post_engagement_daily} AS days
WHERE day > {since}
GROUP BY client_id, day
