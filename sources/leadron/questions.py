"""Worked questions to the warehouse: the demo asks the first of them, and the README shows all."""

from __future__ import annotations

QUESTIONS = {
    "Where do leads stand?": """
        SELECT status, sum(leads) AS leads, count(assigned_to) AS users, max(oldest_age_days) AS oldest_days
        FROM leadron.pipeline_by_status
        GROUP BY status
        ORDER BY leads DESC, status""",
    "Which partners earn the most?": """
        SELECT tier, company, leads, amount_paid AS paid, amount_approved + amount_pending AS due
        FROM leadron.partner_performance
        ORDER BY paid DESC, due DESC, partner_id
        LIMIT 5""",
    "What is still to be paid?": """
        SELECT status, count(*) AS commissions, round(sum(amount), 2) AS amount
        FROM leadron.commission_ledger
        WHERE paid_at IS NULL
        GROUP BY status
        ORDER BY status""",
    "Which leads were talked about most?": """
        SELECT l.status, count(*) AS notes, count(DISTINCT l.id) AS leads
        FROM leadron.lead_notes AS n
        JOIN leadron.leads_current AS l ON l.tenant_id = n.tenant_id AND l.id = n.lead_id
        GROUP BY l.status
        ORDER BY notes DESC, l.status""",
    "How many requests are left this period?": """
        SELECT snapshot_date, plan, usage__remaining AS requests_left
        FROM leadron.account_usage
        ORDER BY snapshot_date DESC
        LIMIT 1""",
}
