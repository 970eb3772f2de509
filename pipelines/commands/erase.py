"""`leadhouse erase`: a person, or an account, leaves the warehouse for good."""

from __future__ import annotations

from dataclasses import replace

from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from pipelines.syncing.erasing import Erasure, check_request, erase_account, erase_person
from pipelines.syncing.person import Person
from pipelines.vendors import vendors_named
from sources.core.errors import ConfigurationError
from sources.core.privacy.configuration import load_policy


def run_erase(
    name: str | None,
    person: Person,
    account: str | None,
    dry_run: bool,
    destination: str | None,
    dataset: str | None,
) -> None:
    """Erases as the command line says, from all that was loaded, and prints how many rows went, and how many stay without
    what told of somebody.

    Args:
        name: of the account, or of the lead that is given by its id, the vendor whose it is.
        person: whom.
        account: a whole account instead of a person, or whose the lead is that is given by its id.
        dry_run: only count.
        destination: instead of the configured one.
        dataset: instead of the configured one.

    Raises:
        LeadhouseError: nothing was erased, or not everywhere.
    """
    whom = person.values()
    if account and whom and not person.lead_id:
        raise ConfigurationError("erase either a client or a person, not both at once")
    storage, policy = storage_for(load_sync_config(destination=destination, dataset=dataset)), load_policy()
    check_request(policy, whom or ([account] if account else []))
    if notice := person.cannot_be_found(policy):
        print(notice)
    if account and not whom:
        done = erase_account(storage, vendors_named(name), policy, account, dry_run, here=name is not None)
    else:
        person = replace(person, source=name, account=account)
        done = erase_person(storage, vendors_named(None), policy, person, dry_run)
    for table in done.rows:
        print(as_text(table, done, "would be " if dry_run else ""))
    if not done.known:
        print("no row is about a lead of that id; with --source and --client, it is kept out before it comes")
    elif not done.rows:
        print("nothing was found" + ("" if dry_run else "; what was given is kept out from now on"))


def as_text(table: str, done: Erasure, would: str = "") -> str:
    """What becomes of a table, in a line."""
    changed = done.changed.get(table, 0)
    counts = {"erased": done.rows[table] - changed, "changed": changed}
    parts = [f"{n:,} row{'' if n == 1 else 's'} {would}{what}" for what, n in counts.items() if n]
    return f"{table}: {', '.join(parts)}"
