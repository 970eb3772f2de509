SELECT
    CAST(NULL AS text) AS account,
    leads.source,
    leads.leads,
    coalesce(known.people, 0) AS people,
    coalesce(known.known_elsewhere, 0) AS known_elsewhere
FROM (SELECT source, count(*) AS leads FROM {all_leads} AS leads GROUP BY source) AS leads
LEFT JOIN (
    SELECT
        theirs.source,
        count(*) AS people,
        count(*) FILTER (WHERE people.source_count > 1) AS known_elsewhere
    FROM (SELECT DISTINCT source, person_id FROM {person_leads} AS leads) AS theirs
    JOIN {people} AS people ON people.person_id = theirs.person_id
    GROUP BY theirs.source
) AS known ON known.source = leads.source
