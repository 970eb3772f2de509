"""What belongs to the organization: itself, its sources, labels, do-not-contact list, money and figures."""

from __future__ import annotations

from sources.core.tables import FETCHED_AT, MISFIT, SNAPSHOT_DATE, SYNCED, Table
from sources.leadping.columns.leads import ORGANIZATION_ID, TRACKED
from sources.leadping.columns.lines import LEAD, ORGANIZATION, columns

ORGANIZATIONS = Table(
    "organization",
    ("organization_id",),
    (
        ORGANIZATION_ID,
        *columns("""
        id text account_id : the organization's id
        name text account : its name
        secondary_name text account : its other name
        user__id text account_id : its owner
        user__name text name! : its owner's name
        account_balance double finance : what is left on its account
        billing_plan text : Annual or Monthly
        subscription_status text : Pending, Active, Overdue or Canceled
        auto_refill_enabled bool : whether the account refills itself
        auto_refill_amount double finance : by how much
        auto_refill_trigger double finance : below what
        status text : SettingUp, SetupCompleted or Active
        setup_status text : how far setting up got
        setup_step text : how far setting up got
        enabled bool : whether it is active
        phone text account : its phone number
        website text account : its website
        domain text account : its domain
        phones json account : its numbers
        billing_name text account : whom bills go to
        billing_tax_id text account : its tax number
        ein text account : its employer number
        vertical text : its line of business
        description text account : what it does
        created_at timestamp : since when there is it
        modified_at timestamp : when it changed last
        """),
        SYNCED,
        MISFIT,
    ),
    "the organization that the key is for",
)

SOURCES = Table(
    "sources",
    ("organization_id", "id"),
    (
        ORGANIZATION_ID,
        *columns("""
        id text : the source's id
        name text account : its name
        description text account : what it is
        api_key_preview text secret : the end of its key; the key itself is dropped as it comes
        api_key_last_used_at timestamp : when the key was used last
        api_key_total_uses bigint : how often it was used
        created_at timestamp : since when there is it
        modified_at timestamp : when it changed last
        first_lead_received_at timestamp : when its first lead came
        last_lead_received_at timestamp : when its last lead came
        enabled bool : whether it is active
        user__id text account_id : whose it is
        user__name text name! : their name
        created_by_user__id text account_id : who made it
        created_by_user__name text name! : their name
        modified_by_user__id text account_id : who changed it
        modified_by_user__name text name! : their name
        cost_per_lead double : what a lead costs
        allowed_states json : states that leads may come from
        allowed_products json : products that leads may ask for
        requires_trusted_form bool : whether leads need a certificate of consent
        compliance_approved bool : whether it was approved
        default_tag_ids json : tags of its leads
        default_tags json : tags of its leads
        """),
        *ORGANIZATION,
        *TRACKED,
    ),
    "where leads come from",
)

TAGS = Table(
    "tags",
    ("organization_id", "id"),
    (
        ORGANIZATION_ID,
        *columns("""
        id text : the tag's id
        name text : its name
        normalized_name text : its name, to compare
        color text : its colour
        description text : what it is for
        created_by_user_id text account_id : who made it
        is_archived bool : whether it is archived
        archived_at timestamp : since when
        created_at timestamp : when it was made
        modified_at timestamp : when it changed last
        """),
        *TRACKED,
    ),
    "a tag",
)

LEAD_STATUSES = Table(
    "lead_statuses",
    ("organization_id", "id"),
    (
        ORGANIZATION_ID,
        *columns("""
        id text : the status's id
        name text : its name
        color text : its colour
        category text : Open, Qualified, Converted, Lost, Invalid or Duplicate
        sort_order bigint : its place among them
        is_archived bool : whether it is archived
        modified_at timestamp : when it changed last
        """),
        *TRACKED,
    ),
    "a status that leads may have",
)

SUPPRESSION_ENTRIES = Table(
    "suppression_entries",
    ("organization_id", "id"),
    (
        ORGANIZATION_ID,
        *columns("""
        id text : the entry's id
        recipient_identifier text phone! : who is not to be contacted
        normalized_phone_number text phone! : their number
        normalized_email text email! : their address
        channel text : by what
        source text : how that came about
        status text : whether it holds
        reason text message : why
        suppressed_at timestamp : since when
        released_at timestamp : until when
        audit json message : how that came about, step by step
        """),
        *TRACKED,
    ),
    "somebody who is not to be contacted",
    personal=True,
)

TRANSACTIONS = Table(
    "transactions",
    ("organization_id", "id"),
    (
        ORGANIZATION_ID,
        *columns("""
        id text : the transaction's id
        amount double : how much
        net_amount double : how much of it was net
        billed_amount double : how much was billed
        quantity double : of how many
        unit_price double : for how much each
        billing_channel text : for what: lead, sms, voice ...
        billable_unit text : of what: lead_received, sms_segment, voice_minute ...
        source_event_id text : the event that it is for
        source_event_type text : what kind of event
        pricing_version text : by which prices
        transaction_type text : Debit, Adjustment or Deposit
        transaction_status text : Pending, Confirmed or Failed
        payment_method_display text finance : how it was paid
        description text message : what it is; may name the lead
        created_at timestamp : when it was made
        """),
        *LEAD,
        *ORGANIZATION,
        *TRACKED,
    ),
    "money that came or went",
)

USAGE = Table(
    "usage",
    ("organization_id", "id"),
    (
        ORGANIZATION_ID,
        *columns("""
        id text : the entry's id
        user__id text account_id : our user
        user__name text name! : our user's name
        phone_number_id text : the number that was used
        phone_number text account : that number
        channel text : lead, sms, voice ...
        billable_unit text : lead_received, sms_segment, voice_minute ...
        status text : whether it was billed
        quantity double : how much
        duration_seconds bigint : seconds
        billable_seconds bigint : seconds that cost
        sms_segments bigint : segments of a text
        unit_price double : what one costs
        customer_charge_amount double : what it cost
        is_billable bool : whether it costs
        description text message : what it was; may name the lead
        created_at timestamp : when it was
        """),
        *LEAD,
        *ORGANIZATION,
        *TRACKED,
    ),
    "something that was used and may cost",
)

ANALYTICS = Table(
    "analytics",
    ("organization_id", "snapshot_date"),
    (
        ORGANIZATION_ID,
        SNAPSHOT_DATE,
        FETCHED_AT,
        *columns("""
        generated_at timestamp : when the figures were made
        range__start_at timestamp : from when they are
        range__end_at timestamp : until when
        summary__leads bigint : leads that came
        summary__average_response_minutes double : how long they waited on average
        summary__median_response_minutes double : how long half of them waited
        summary__responded_within_five_minutes_percent double : the share that waited less than five minutes
        summary__missed_leads bigint : leads that nobody answered
        summary__unread_messages bigint : messages that nobody read
        summary__missed_calls bigint : calls that nobody took
        summary__sms_sent bigint : texts sent
        summary__sms_received bigint : texts that came
        summary__calls_placed bigint : calls made
        summary__calls_received bigint : calls that came
        summary__call_minutes double : minutes of calls
        summary__usage_spend double : what was spent
        summary__wallet_balance double finance : what is left
        lead_sources json account : leads by source
        needs_attention json message : what the site wants to be done
        """),
        SYNCED,
        MISFIT,
    ),
    "Leadping's own figures on one day",
)
