-- Grain: client_id, post_id, day
-- Each post's counters day by day and how they grew; a post's growth adds up to its latest counters.
-- client_id: the client account
-- post_id: the post
-- day: UTC day; null for what a post had gained before it was first measured, on days nobody knows
-- measured: read on that day; else between two readings, and the growth is spread evenly over the days
-- impressions [none]: shown so often until then
-- reactions [none]: likes and their kin until then
-- comments [none]: comments until then
-- shares [none]: shares until then
-- clicks [none]: clicks until then
-- new_impressions: growth on that day; negative where LinkedIn corrected the counter downwards
-- new_reactions: growth, as above
-- new_comments: growth, as above
-- new_shares: growth, as above
-- new_clicks: growth, as above
-- corrected: whether some counter fell
WITH readings AS (
    SELECT
        client_id,
        post_id,
        snapshot_date AS day,
        lag(snapshot_date) OVER so_far AS previous_day,
        -- A counter that an answer lacks is at least what it once was.
        coalesce(impressions, max(impressions) OVER so_far) AS impressions,
        coalesce(reactions, max(reactions) OVER so_far) AS reactions,
        coalesce(comments, max(comments) OVER so_far) AS comments,
        coalesce(shares, max(shares) OVER so_far) AS shares,
        coalesce(clicks, max(clicks) OVER so_far) AS clicks,
        coalesce(lag(impressions) OVER so_far, max(impressions) OVER before) AS old_impressions,
        coalesce(lag(reactions) OVER so_far, max(reactions) OVER before) AS old_reactions,
        coalesce(lag(comments) OVER so_far, max(comments) OVER before) AS old_comments,
        coalesce(lag(shares) OVER so_far, max(shares) OVER before) AS old_shares,
        coalesce(lag(clicks) OVER so_far, max(clicks) OVER before) AS old_clicks
    FROM {post_engagement}
    WINDOW
        so_far AS (PARTITION BY client_id, post_id ORDER BY snapshot_date),
        before AS (
            PARTITION BY client_id, post_id
            ORDER BY snapshot_date
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
),

-- When posts began, where that is known.
beginnings AS (
    SELECT
        posts.client_id,
        posts.id AS post_id,
        CASE
            WHEN posts.reported_at IS NOT NULL THEN posts.reported_at
            WHEN posts.first_seen_at > backfill.ended_at THEN posts.first_seen_at
        END AS began_at
    FROM {posts} AS posts
    LEFT JOIN (
        SELECT client_id, min(finished) AS ended_at
        FROM {sync_log}
        WHERE resource = 'posts' AND status = 'ok'
        GROUP BY client_id
    ) AS backfill ON backfill.client_id = posts.client_id
),

-- A new post's first reading is growth of that day; what an older one had by then came on days nobody knows.
dated AS (
    SELECT
        readings.*,
        CAST(coalesce(readings.day - readings.previous_day, 1) AS integer) AS days,
        readings.previous_day IS NULL
        AND NOT coalesce(CAST(beginnings.began_at AT TIME ZONE 'UTC' AS date) >= readings.day - 1, false)
            AS had_before
    FROM readings
    LEFT JOIN beginnings
        ON beginnings.client_id = readings.client_id AND beginnings.post_id = readings.post_id
),

-- From one reading to the next.
spans AS (
    SELECT
        client_id,
        post_id,
        day,
        days,
        impressions,
        reactions,
        comments,
        shares,
        clicks,
        coalesce(old_impressions, CASE WHEN had_before THEN impressions ELSE 0 END) AS old_impressions,
        coalesce(old_reactions, CASE WHEN had_before THEN reactions ELSE 0 END) AS old_reactions,
        coalesce(old_comments, CASE WHEN had_before THEN comments ELSE 0 END) AS old_comments,
        coalesce(old_shares, CASE WHEN had_before THEN shares ELSE 0 END) AS old_shares,
        coalesce(old_clicks, CASE WHEN had_before THEN clicks ELSE 0 END) AS old_clicks
    FROM dated
),

-- A span day by day: how much of its growth was there by that day, and by the day before.
steps AS (
    SELECT
        spans.*,
        spans.day - spans.days + CAST(step.n AS integer) AS step_day,
        CAST(step.n AS double precision) / spans.days AS share,
        CAST(step.n - 1 AS double precision) / spans.days AS share_before
    FROM spans
    CROSS JOIN LATERAL generate_series(1, spans.days) AS step(n)
),

grown AS (
    SELECT
        client_id,
        post_id,
        step_day AS day,
        share = 1 AS measured,
        old_impressions + CAST(floor((impressions - old_impressions) * share) AS bigint) AS impressions,
        old_reactions + CAST(floor((reactions - old_reactions) * share) AS bigint) AS reactions,
        old_comments + CAST(floor((comments - old_comments) * share) AS bigint) AS comments,
        old_shares + CAST(floor((shares - old_shares) * share) AS bigint) AS shares,
        old_clicks + CAST(floor((clicks - old_clicks) * share) AS bigint) AS clicks,
        old_impressions + CAST(floor((impressions - old_impressions) * share_before) AS bigint) AS old_impressions,
        old_reactions + CAST(floor((reactions - old_reactions) * share_before) AS bigint) AS old_reactions,
        old_comments + CAST(floor((comments - old_comments) * share_before) AS bigint) AS old_comments,
        old_shares + CAST(floor((shares - old_shares) * share_before) AS bigint) AS old_shares,
        old_clicks + CAST(floor((clicks - old_clicks) * share_before) AS bigint) AS old_clicks
    FROM steps
    UNION ALL
    SELECT
        client_id,
        post_id,
        CAST(NULL AS date) AS day,
        true AS measured,
        impressions,
        reactions,
        comments,
        shares,
        clicks,
        CASE WHEN impressions IS NOT NULL THEN 0 END AS old_impressions,
        CASE WHEN reactions IS NOT NULL THEN 0 END AS old_reactions,
        CASE WHEN comments IS NOT NULL THEN 0 END AS old_comments,
        CASE WHEN shares IS NOT NULL THEN 0 END AS old_shares,
        CASE WHEN clicks IS NOT NULL THEN 0 END AS old_clicks
    FROM dated
    WHERE had_before
)

SELECT
    client_id,
    post_id,
    day,
    measured,
    impressions,
    reactions,
    comments,
    shares,
    clicks,
    impressions - old_impressions AS new_impressions,
    reactions - old_reactions AS new_reactions,
    comments - old_comments AS new_comments,
    shares - old_shares AS new_shares,
    clicks - old_clicks AS new_clicks,
    coalesce(
        least(
            impressions - old_impressions,
            reactions - old_reactions,
            comments - old_comments,
            shares - old_shares,
            clicks - old_clicks
        ) < 0,
        false
    ) AS corrected
FROM grown
