"""Worked questions to the warehouse: the demo asks the first of them, and the README shows all."""

from __future__ import annotations

QUESTIONS = {
    "Which clients get leads, and how many of them are qualified?": """
        SELECT business_name AS client, leads, leads_qualified AS qualified
        FROM leadpanther.client_scorecard
        ORDER BY leads DESC""",
    "Which posts bring leads?": """
        SELECT business_name AS client, left(text, 30) AS post, impressions, activity, leads
        FROM leadpanther.post_performance
        JOIN leadpanther.clients USING (client_id)
        ORDER BY leads DESC, impressions DESC
        LIMIT 5""",
    "Which lead magnets convert best?": """
        SELECT business_name AS client, title, views, captures, round(100 * conversion_rate, 2) AS percent
        FROM leadpanther.lead_magnet_performance
        JOIN leadpanther.clients USING (client_id)
        ORDER BY conversion_rate DESC, views
        LIMIT 5""",
    "From interest to qualified: where do leads come from?": """
        SELECT source, sum(activity) AS activity, sum(leads) AS leads,
               sum(leads_with_intent) AS with_intent, sum(leads_qualified) AS qualified
        FROM leadpanther.lead_funnel
        GROUP BY source
        ORDER BY leads DESC, activity DESC""",
    "Which keywords bring people in?": """
        SELECT keyword, count(*) AS activity, count(DISTINCT person) AS people
        FROM leadpanther.activity_current
        WHERE keyword IS NOT NULL
        GROUP BY keyword
        ORDER BY activity DESC, keyword
        LIMIT 5""",
    "Who should be called first?": """
        SELECT business_name AS client, name, latest_keyword AS keyword, activity, posts
        FROM leadpanther.hot_leads
        ORDER BY activity DESC, posts DESC, happened_at DESC
        LIMIT 5""",
    "Which clients grow, and which slow down?": """
        SELECT business_name AS client, leads_previous_28_days AS before, leads_last_28_days AS now,
               leads_last_28_days - leads_previous_28_days AS growth
        FROM leadpanther.client_scorecard
        ORDER BY growth DESC, client""",
    "Do posts with more reach engage less?": """
        SELECT CASE WHEN impressions >= 20000 THEN 'wide' ELSE 'narrow' END AS reach,
               count(*) AS posts, round(100 * avg(engagement_rate), 2) AS percent_engaged
        FROM leadpanther.post_performance
        WHERE impressions > 0
        GROUP BY reach
        ORDER BY reach""",
    "Who left an e-mail address and is no lead yet?": """
        SELECT count(*) AS captures, count(*) FILTER (WHERE l.id IS NULL) AS no_lead
        FROM leadpanther.lead_magnet_captures c
        LEFT JOIN leadpanther.leads_current l
          ON l.client_id = c.client_id AND lower(l.emails__submitted) = lower(c.email)""",
    "Is everything fresh?": """
        SELECT last_status AS status, count(*) AS units, min(runs) AS fewest_runs
        FROM leadpanther.sync_health
        GROUP BY status
        ORDER BY units DESC""",
}
