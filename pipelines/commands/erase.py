"""`leadhouse erase`: a person, or an account, leaves the warehouse for good."""

from __future__ import annotations

from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from pipelines.syncing.erasing import check_request, erase_account, erase_person
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
    """Erases as the command line says, from all that was loaded, and prints how many rows that concerned.

    Args:
        name: only from this vendor's rows.
        person: whom.
        account: instead of a person, a whole account.
        dry_run: only count.
        destination: instead of the configured one.
        dataset: instead of the configured one.

    Raises:
        LeadhouseError: nothing was erased, or not everywhere.
    """
    if account and person.values():
        raise ConfigurationError("erase either a client or a person, not both at once")
    storage, policy = storage_for(load_sync_config(destination=destination, dataset=dataset)), load_policy()
    check_request(policy, [account] if account else person.values())
    if notice := person.cannot_be_found(policy):
        print(notice)
    verb = "would be erased" if dry_run else "erased"
    vendors = vendors_named(name)
    if account:
        counts = erase_account(storage, vendors, policy, account, dry_run)
    else:
        counts = erase_person(storage, vendors, policy, person, dry_run)
    for table, count in counts.items():
        print(f"{table}: {count:,} row{'' if count == 1 else 's'} {verb}")
    if not counts:
        print("nothing was found" + ("" if dry_run else "; what was given is kept out from now on"))
