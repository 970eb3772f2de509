-- Grain: client_id, post_id
-- What each post brought: its latest counters, and the activity and leads that it drew.
-- client_id: the client account
-- post_id: the post
-- status: such as `published`
-- text: the post
-- happened_at: when it was published or is to be, as far as is known
-- time_source: where that time is from, see posts_current
-- measured_on: day of the latest counters; null if they were never read
-- impressions [none]: how often it was shown
-- reactions [none]: likes and their kin
-- comments [none]: comments, as LinkedIn counts them
-- shares [none]: how often it was shared
-- clicks [none]: clicks on it
-- engagement_rate: reactions, comments and shares by impressions
-- activity: comments and messages in `activity` that belong to it
-- leads: people among its authors who are leads, each for every post they wrote on; null where profiles are masked or dropped
WITH days AS (
    SELECT
        client_id,
        post_id,
        max(snapshot_date) AS measured_on,
        max(impressions) AS impressions,
        max(reactions) AS reactions,
        max(comments) AS comments,
        max(shares) AS shares,
        max(clicks) AS clicks
    FROM {post_engagement}
    GROUP BY client_id, post_id
),

-- A counter that the latest answer lacks is at least what it once was.
latest AS (
    SELECT
        days.client_id,
        days.post_id,
        days.measured_on,
        coalesce(last_day.impressions, days.impressions) AS impressions,
        coalesce(last_day.reactions, days.reactions) AS reactions,
        coalesce(last_day.comments, days.comments) AS comments,
        coalesce(last_day.shares, days.shares) AS shares,
        coalesce(last_day.clicks, days.clicks) AS clicks
    FROM days
    JOIN {post_engagement} AS last_day
        ON last_day.client_id = days.client_id
        AND last_day.post_id = days.post_id
        AND last_day.snapshot_date = days.measured_on
),

activity AS (
    SELECT client_id, metadata__post_id AS post_id, count(*) AS activity
    FROM {activity}
    WHERE deleted_at IS NULL AND metadata__post_id IS NOT NULL
    GROUP BY client_id, metadata__post_id
),

leads AS (
    SELECT client_id, metadata__post_id AS post_id, count(DISTINCT person) AS leads
    FROM {activity}
    WHERE
        deleted_at IS NULL
        AND metadata__post_id IS NOT NULL
        AND (client_id, person) IN (SELECT client_id, person FROM {leads} WHERE deleted_at IS NULL)
    GROUP BY client_id, metadata__post_id
)

SELECT
    posts.client_id,
    posts.id AS post_id,
    posts.status,
    posts.text,
    posts.happened_at,
    posts.time_source,
    latest.measured_on,
    latest.impressions,
    latest.reactions,
    latest.comments,
    latest.shares,
    latest.clicks,
    CASE
        WHEN coalesce(latest.reactions, latest.comments, latest.shares) IS NOT NULL
            THEN CAST(
                coalesce(latest.reactions, 0) + coalesce(latest.comments, 0) + coalesce(latest.shares, 0)
                AS double precision
            ) / nullif(latest.impressions, 0)
    END AS engagement_rate,
    coalesce(activity.activity, 0) AS activity,
    CASE WHEN {people_known} THEN coalesce(leads.leads, 0) END AS leads
FROM {posts_current} AS posts
LEFT JOIN latest ON latest.client_id = posts.client_id AND latest.post_id = posts.id
LEFT JOIN activity ON activity.client_id = posts.client_id AND activity.post_id = posts.id
LEFT JOIN leads ON leads.client_id = posts.client_id AND leads.post_id = posts.id
