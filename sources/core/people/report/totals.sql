SELECT CAST(NULL AS text) AS account, leads.leads, people.people, people.known_to_several, people.their_leads
FROM (SELECT count(*) AS leads FROM {all_leads} AS leads) AS leads
CROSS JOIN (
    SELECT
        count(*) AS people,
        count(*) FILTER (WHERE vendor_count > 1) AS known_to_several,
        coalesce(sum(leads) FILTER (WHERE vendor_count > 1), 0) AS their_leads
    FROM {people} AS people
) AS people
