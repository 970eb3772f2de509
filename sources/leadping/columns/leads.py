"""Leads, all that is known of one, conversations, and what became of them."""

from __future__ import annotations

from sources.core.tables import (
    DELETED,
    DIGEST,
    FETCHED_AT,
    FIRST_SEEN,
    MISFIT,
    SYNCED,
    Column,
    LeadColumns,
    Table,
    account_column,
    comparable_phone,
)
from sources.leadping.columns.lines import ORGANIZATION, STATUS, columns

ORGANIZATION_ID = account_column("organization_id", "the organization that the key is for")
TRACKED = (FIRST_SEEN, DELETED, SYNCED, MISFIT)

LEADS = Table(
    "leads",
    ("organization_id", "id"),
    (
        ORGANIZATION_ID,
        *columns("""
        id text : the lead's id
        first_name text name : the first name
        last_name text name! : the last name
        phone text phone! : the phone number
        email text email! : the e-mail address
        created_at timestamp : when it came
        updated_at timestamp : when it changed last
        status text : where it stands, as the site shows it
        status_tone text : the colour of that
        enabled bool : whether it is worked on
        archived_at timestamp : when it was archived; archived leads still exist
        archived_by_user_id text account_id : who archived it
        archive_reason bigint : why, as a number from 0 to 9 that no document explains
        is_archived bool : whether it is archived
        processing_status text : Verifying, Validating, Enriching, Ready, Invalid or Failed
        processing_status_reason text message : why; may quote what was wrong
        processing_status_changed_at timestamp : since when
        price double : what it cost
        source__id text : the source that it came from
        source__name text account : the source's name
        tags json : its tags
        """),
        comparable_phone("phone"),
        *STATUS,
        *ORGANIZATION,
        DIGEST,
        *TRACKED,
    ),
    "a lead, archived or not",
    personal=True,
)

LEAD_COLUMNS = LeadColumns(
    name=("first_name", "last_name"),
    email=("email",),
    phone=("phone",),
    status=("current_lead_status__display_name", "status"),
    created_at=("created_at",),
)

_METADATA = columns(
    """
    utm_source text : where the visitor came from
    utm_medium text : by what medium
    utm_campaign text : by which campaign
    utm_term text : by which search
    utm_content text : by which content
    referrer text unreviewed : the page before; its address may hold anything
    landing_page text unreviewed : the page that the visitor landed on; its address may hold anything
    sub_id text platform_id : the seller's sub id
    pub_id text : the seller's publisher
    ip_address text location! : the visitor's IP address
    user_agent text platform_id : the visitor's browser
    external_id text platform_id : the lead's id elsewhere
    seller_lead_id text platform_id : the lead's id with its seller
    created_at timestamp : when it came about there
    price double : what it cost
    direct_post_price double : what it cost by direct post
    product text : the product asked for
    vertical text : the line of business
    compliance_status text : whether it may be contacted
    compliance_blocked_reason text message : why not
    source_metadata json unreviewed : whatever the source sent along
    origin text : how it came in
    import_batch_id text : the import that it came with
    is_imported bool : whether it was imported
    assigned_phone_number_id text : the number that writes to it
    sms_consent_status text : whether texts are allowed
    sms_opted_out bool : whether texts were refused
    sms_opt_out_at timestamp : when
    sms_opt_in_at timestamp : when texts were allowed
    sms_help_requested_at timestamp : when help was asked for
    sms_consent_phone_number text phone! : the number that the consent is for
    trusted_form_url text platform_id : the certificate of consent
    trusted_form_checked_at timestamp : when that was checked
    user_id text account_id : whose it is
    organization_id text account_id : whose it is
    """,
    "metadata__",
)
_CONTACT = columns(
    """
    first_name text name : the first name
    last_name text name! : the last name
    street_address__line1 text location! : street and number
    street_address__line2 text location : more of the address
    street_address__city text location : the city
    street_address__state text location : the state
    street_address__province text location : the province
    street_address__region text location : the region
    street_address__postal_code text location : the postal code
    street_address__country text location : the country
    street_address__additional_info text location : more of the address
    coordinate__latitude double location : where they live
    coordinate__longitude double location : where they live
    time_zone_id text location : the time zone
    phone__phone_identity_id text platform_id : what is known of the number
    phone__number text phone! : the phone number
    phone__type text : mobile or not
    email text email! : the e-mail address
    avatar_url text platform_id : a picture, of many the same
    """,
    "contact__",
)
_PROFILE = columns(
    """
    gender text demographic : the gender
    height bigint health : the height
    weight bigint health : the weight
    birth_date date demographic : the birth date
    marital_status text demographic : the marital status
    income bigint finance : the income
    is_homeowner bool finance : whether they own a home
    months_at_residence bigint demographic : how long they live there
    credit_score bigint finance : the credit score
    has_bankruptcy bool finance : whether they went bankrupt
    employment_type text finance : how they are employed
    number_of_dependents bigint demographic : how many depend on them
    has_medical_condition bool health : whether they have a medical condition
    """,
    "customer__",
)

LEAD_DETAILS = Table(
    "lead_details",
    ("organization_id", "lead_id"),
    (
        ORGANIZATION_ID,
        Column("lead_id", "text", "the lead", ours=True),
        FETCHED_AT,
        *columns("""
        id text : the lead's id
        created_at timestamp : when it came
        modified_at timestamp : when it changed last
        enabled bool : whether it is worked on
        deleted_at timestamp : when it was deleted
        deleted_by_user_id text account_id : who deleted it
        archived_at timestamp : when it was archived
        archived_by_user_id text account_id : who archived it
        archive_reason bigint : why, as a number from 0 to 9 that no document explains
        archive_note text message : why, in somebody's words
        is_archived bool : whether it is archived
        processing_status text : Verifying, Validating, Enriching, Ready, Invalid or Failed
        processing_status_reason text message : why; may quote what was wrong
        processing_status_changed_at timestamp : since when
        tags json : its tags
        """),
        *_CONTACT,
        *_PROFILE,
        *_METADATA,
        *STATUS,
        *columns(
            """
            number text phone! : the phone number
            name text name! : whose it is
            id text platform_id : the number's id
            lookup json phone : what was looked up of it
            provider_enrichment json phone : what its provider says
            last_enriched_at timestamp : when that was asked
            lookup_actions json phone : what was looked up, and when
            created_at timestamp : since when it is known
            modified_at timestamp : when that changed last
            """,
            "phone_identity__",
        ),
        SYNCED,
        MISFIT,
    ),
    "all that is known of a lead, health and income too; only where `details` is set",
    personal=True,
)

CONVERSATIONS = Table(
    "conversations",
    ("organization_id", "id"),
    (
        ORGANIZATION_ID,
        *columns("""
        id text : the conversation's id
        lead_id text : the lead
        first_name text name : the lead's first name
        last_name text name! : the lead's last name
        email text email! : the lead's e-mail address
        avatar_url text platform_id : the lead's picture, of many the same
        last_snippet text message : the beginning of its last message
        last_event_at timestamp : when something happened last
        last_event_is_internal_note bool : whether that was a note
        status text : needs_reply, waiting, failed or open
        status_reason text message : why
        archived_at timestamp : when it was archived
        archive_reason bigint : why, as a number
        is_archived bool : whether it is archived
        next_step text message : what should be done next
        is_unread bool : whether it has something unread
        phone_number__id text : our number's id
        phone_number__name text account : our number's name
        phone_number__value text account : our number
        lead_phone_number text phone! : the lead's number
        outbound_phone_number_override_id text : the number chosen to write from
        active_outbound_phone_number_id text : the number that writes
        """),
        *STATUS,
        *TRACKED,
    ),
    "a conversation with a lead, archived or not",
    personal=True,
)

LEAD_STATUS_CHANGES = Table(
    "lead_status_changes",
    ("organization_id", "id"),
    (
        ORGANIZATION_ID,
        *columns("""
        id text : the change's id
        lead_id text : the lead
        lead_name text name! : the lead's name
        type text : what kind of change; appointments and call-backs are some
        outcome text : what came of it
        category text : Open, Qualified, Converted, Lost, Invalid or Duplicate
        old_lead_status_change_id text : the change before
        old_lead_status_change_type text : its kind
        old_lead_status_change_outcome text : its outcome
        new_lead_status_change_id text : the change after
        notes text message : what somebody wrote about it
        reason text message : why
        changed_by_user_id text account_id : the user who made it
        changed_by_automation_id text : the automation that made it
        changed_at timestamp : when it was made
        change_source text : User, AI, Automation, System or API
        timestamp timestamp : when it was made
        created_at timestamp : when it was written down
        updated_at timestamp : when that changed last
        follow_up_status text : whether somebody followed up
        callback_at timestamp : when to call back
        task_due_at timestamp : when something is due
        appointment_start_at timestamp : when the appointment begins
        appointment_end_at timestamp : when it ends
        appointment_notes text message : what was noted for it
        assigned_to_user_id text account_id : who is to do it
        related_call_event_id text : the call that it is about
        is_missed_call_follow_up bool : whether it follows a missed call
        source_id text : the lead's source
        """),
        *TRACKED,
    ),
    "a change of a lead's status; appointments and call-backs among them",
    personal=True,
)
