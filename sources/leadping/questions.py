"""Worked questions to the warehouse: the demo asks the first of them, and the README shows all."""

from __future__ import annotations

QUESTIONS = {
    "How soon is somebody called or written to?": """
        SELECT source, sum(leads) AS leads, sum(leads_reached_out_to) AS reached_out_to,
               round(avg(median_minutes), 1) AS minutes, sum(within_five_minutes) AS within_five_minutes
        FROM leadping.speed_to_lead
        GROUP BY source
        ORDER BY source""",
    "Which sources bring customers, and what does one cost?": """
        SELECT source, leads, converted, percent_converted, round(cost_per_conversion, 2) AS cost_of_one
        FROM leadping.lead_source_quality
        ORDER BY percent_converted DESC, source""",
    "What went out and came in over the last days that had anything?": """
        SELECT channel, direction, sum(messages) AS messages, sum(reached) AS reached,
               round(sum(cost), 2) AS cost
        FROM leadping.messages_daily
        GROUP BY channel, direction
        ORDER BY channel, direction""",
    "Which appointments were there?": """
        SELECT kind, count(*) AS how_many, count(*) FILTER (WHERE category = 'Converted') AS converted
        FROM leadping.appointments
        GROUP BY kind
        ORDER BY kind""",
}
