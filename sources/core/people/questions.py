"""What is asked of all vendors together, with the SQL that answers it."""

QUESTIONS = {
    "Who is known to several vendors?": """
        SELECT vendors, count(*) AS people, sum(leads) AS leads
        FROM leadhouse.people
        WHERE vendor_count > 1
        GROUP BY vendors
        ORDER BY people DESC, vendors""",
    "Of these, who is known to most?": """
        SELECT any_value(l.name) AS name, any_value(p.vendors) AS vendors, count(*) AS leads
        FROM leadhouse.people AS p
        JOIN leadhouse.person_leads AS pl ON pl.person_id = p.person_id
        JOIN leadhouse.all_leads AS l ON l.source = pl.source AND l.account = pl.account AND l.id = pl.id
        WHERE p.vendor_count > 2
        GROUP BY p.person_id
        ORDER BY any_value(p.vendor_count) DESC, leads DESC, name
        LIMIT 5""",
}
