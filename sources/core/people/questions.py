"""What is asked of all vendors together, with the SQL that answers it."""

QUESTIONS = {
    "Who is known to several vendors?": """
        SELECT sources, count(*) AS people, sum(leads) AS leads
        FROM leadhouse.people
        WHERE source_count > 1
        GROUP BY sources
        ORDER BY people DESC, sources""",
    "Of these, who is known to most?": """
        SELECT any_value(l.name) AS name, any_value(p.sources) AS sources, count(*) AS leads
        FROM leadhouse.people AS p
        JOIN leadhouse.person_leads AS pl ON pl.person_id = p.person_id
        JOIN leadhouse.all_leads AS l ON l.source = pl.source AND l.account = pl.account AND l.id = pl.id
        WHERE p.source_count > 2
        GROUP BY p.person_id
        ORDER BY any_value(p.source_count) DESC, leads DESC, name
        LIMIT 5""",
}
