"""Worked questions to the warehouse: the demo asks the first of them, and the README shows all."""

from __future__ import annotations

QUESTIONS = {
    "How large are the segments, and how much of them is unlocked?": """
        SELECT segment, sum(leads) AS leads, sum(leads_unlocked) AS unlocked,
               sum(score_80_and_more) AS score_80_and_more
        FROM leadleap.segment_overview
        GROUP BY segment
        ORDER BY segment""",
    "Which industries score best?": """
        SELECT industry, count(*) AS leads, round(avg(ai_score), 1) AS score
        FROM leadleap.leads_current
        GROUP BY industry
        ORDER BY score DESC, industry
        LIMIT 5""",
    "How many credits are left?": """
        SELECT plan__type AS plan, usage__leads_remaining AS credits, period__days_remaining AS days
        FROM leadleap.account_usage
        ORDER BY snapshot_date DESC
        LIMIT 1""",
}
