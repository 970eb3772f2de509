SELECT
    CAST(NULL AS text) AS account,
    leads.vendor,
    count(*) AS leads,
    count(DISTINCT people.person_id) AS people,
    count(DISTINCT CASE WHEN people.vendor_count > 1 THEN people.person_id END) AS known_elsewhere
FROM {all_leads} AS leads
LEFT JOIN {person_leads} AS theirs
    ON theirs.source = leads.source AND theirs.account = leads.account AND theirs.id = leads.id
LEFT JOIN {people} AS people ON people.person_id = theirs.person_id
GROUP BY leads.vendor
