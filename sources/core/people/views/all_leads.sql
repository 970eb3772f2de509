-- Grain: source, account, id
-- All leads that exist, of all vendors that are loaded: start here for what is not one vendor's alone.
-- source: the schema that the lead is in, which is called after its vendor, or a further key of it
-- vendor: whose API it comes from, under whichever key
-- account [account_id]: whose lead it is, as the vendor divides them
-- id: the lead
-- name [name]: who it is
-- email [email]: the first e-mail address that there is
-- phone [phone]: the first phone number that there is
-- profile_url [profile_url]: the profile
-- company [account]: where they work
-- status: where the vendor says that the lead stands
-- created_at: when it became a lead, as the vendor says
-- first_seen_at: when it was first read
SELECT
    leads.source,
    leads.vendor,
    leads.account,
    leads.id,
    leads.name,
    leads.email,
    leads.phone,
    leads.profile_url,
    leads.company,
    leads.status,
    leads.created_at,
    leads.first_seen_at
FROM {leads} AS leads
