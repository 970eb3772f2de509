"""What the simulated API holds: deterministic from a seed, changed only through its methods."""

import threading
from collections.abc import Iterable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from sources.core.simulator import people
from sources.core.simulator.dice import Dice, iso
from sources.core.simulator.rows import Rows

from .accounts import Account, Archived, Builder, CapturesShape, Options, Order
from .keys import ActorType, KeyRing
from .making import READ_SCOPES, Maker, Row

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
"""The moment at which a world stands unless told otherwise; fixed, so that a seed always makes the same."""


EDITED = {
    "leads": "headline",
    "activity": "content",
    "posts": "notes",
    "lead_magnets": "title",
    "captures": "name",
}


class World:
    """The accounts, rows and keys behind a sandbox.

    Every method may be called from any thread; what is returned is a copy. A resource is "leads",
    "activity", "posts", "lead_magnets" or "captures" (with `lead_magnet_id`, or written
    "captures/<lead magnet id>"). Rows are named by their id; one without an id by its handle (`ids`).
    Methods raise KeyError for a client, resource or row that does not exist.
    """

    def __init__(self, options: Options, *, clients: int, seed: int, now: datetime) -> None:
        self.lock = threading.RLock()
        self.options = options
        self._seed = seed
        self._now = now.timestamp()
        self._dice = Dice(f"{seed}/later")
        self._made = 0
        self.keys = KeyRing(seed)
        maker = Maker(Dice(f"{seed}/agency"), now=self._now, timestamps=True, capture_ids=True)
        self.agency = Account(maker.profile())
        self._accounts: dict[str, Account] = {}
        self.agency_key = self.keys.add("agency", self.agency.user_id)
        self.key = self.agency_key
        for _ in range(clients):
            self.add_client()

    @classmethod
    def make(
        cls,
        *,
        seed: int = 7,
        clients: int = 5,
        leads: int = 250,
        activity: int = 300,
        posts: int = 40,
        lead_magnets: int = 6,
        captures: int = 30,
        exact: bool = False,
        timestamps: bool = True,
        order: Order = "newest_first",
        archived: Archived = "listed",
        captures_shape: CapturesShape = "plain",
        now: datetime | None = None,
    ) -> "World":
        """Make a world.

        Args:
            seed: the same seed and options always make the same world.
            clients: client accounts, all granted to the agency.
            leads, activity, posts, lead_magnets: rows per client, give or take 30 % unless `exact`.
            captures: rows per lead magnet.
            timestamps: whether rows carry created_at and updated_at.
            order: how the lists are sorted by time of creation.
            archived: whether archived lead magnets stay in the lists or are gone (404).
            captures_shape: how analytics bodies hold the captures: as a "plain" list, "nested" with their
                own pagination, or "without_ids".
            now: the moment the world stands at, 2026-06-01 12:00 UTC by default. Each change adds a second.
        """
        sizes = Options(
            leads, activity, posts, lead_magnets, captures, exact, timestamps, order, archived, captures_shape
        )
        return cls(sizes, clients=clients, seed=seed, now=now or NOW)

    # Truth

    changes: tuple[str, ...] = ("insert", "delete", "edit", "move", "revoke", "restore")

    def edited(self, resource: str) -> str:
        """A field of a list's rows that churn may change."""
        return EDITED[resource]

    @property
    def client_ids(self) -> list[str]:
        """All accounts in the order of /clients, the revoked and the forgotten ones too."""
        with self.lock:
            return list(self._accounts)

    def clients(self) -> list[Row]:
        """What the agency key reads from /clients."""
        with self.lock:
            return [a.row() for a in self._accounts.values() if a.grant is not None and not a.hidden]

    def truth(self, client_id: str, resource: str, lead_magnet_id: str | None = None) -> list[Any]:
        """All rows of a resource, just as the API would answer them."""
        with self.lock:
            return self._rows(client_id, resource, lead_magnet_id).values()

    def ids(self, client_id: str, resource: str, lead_magnet_id: str | None = None) -> list[str]:
        """The names of a resource's rows, in the order of the list."""
        with self.lock:
            return self._rows(client_id, resource, lead_magnet_id).handles

    def engagement(self, client_id: str, post_id: str) -> Any:
        """What a post's engagement route answers."""
        with self.lock:
            return self._account(client_id).engagement(post_id)

    def analytics(self, client_id: str, lead_magnet_id: str) -> Any:
        """What a lead magnet's analytics route answers, without the captures."""
        with self.lock:
            return self._account(client_id).analytics(lead_magnet_id)

    def snapshot(self) -> Row:
        """The whole truth: {"clients": rows of /clients, "accounts": {client_id: {resource: rows}}}.

        In an account, "engagement" and "analytics" are bodies by post and lead magnet id, and "captures"
        rows by lead magnet id.
        """
        with self.lock:
            accounts = {id: account.truth() for id, account in self._accounts.items()}
            return {"clients": self.clients(), "accounts": accounts}

    # Rows

    def insert(
        self,
        client_id: str,
        resource: str,
        at: int | None = 0,
        row: Any = None,
        *,
        lead_magnet_id: str | None = None,
    ) -> Any:
        """Put a row into a list and return it.

        Args:
            at: its position, None for the end.
            row: any JSON value; a new plausible row if None.
        """
        with self.lock:
            rows = self._rows(client_id, resource, lead_magnet_id)
            if row is None:
                self._tick()
                builder = Builder(self._dice, self.options, self._now)
                row = builder.row(self._account(client_id), resource)
            id = row.get("id") if isinstance(row, dict) else None
            handle = id if isinstance(id, str) else self._dice.uuid()
            rows.insert(at, handle, row)
            if resource == "lead_magnets":
                self._account(client_id).captures.setdefault(handle, Rows())
            return rows.get(handle)

    def delete(self, client_id: str, resource: str, id: str, *, lead_magnet_id: str | None = None) -> None:
        """Take a row out of its list; a lead magnet goes with its captures."""
        with self.lock:
            self._rows(client_id, resource, lead_magnet_id).delete(id)
            if resource == "lead_magnets":
                self._account(client_id).captures.pop(id, None)

    def edit(
        self,
        client_id: str,
        resource: str,
        id: str,
        /,
        *,
        lead_magnet_id: str | None = None,
        **fields: Any,
    ) -> Row:
        """Change fields of a row, and its updated_at if it has one, and return it."""
        with self.lock:
            rows = self._rows(client_id, resource, lead_magnet_id)
            row: Row = rows.get(id)
            touched = {"updated_at": self._tick()} if "updated_at" in row else {}
            row |= touched | fields
            rows.replace(id, row)
            return row

    def replace(
        self, client_id: str, resource: str, id: str, row: Any, *, lead_magnet_id: str | None = None
    ) -> None:
        """Put any JSON value in a row's place; it is still named by the old id."""
        with self.lock:
            self._rows(client_id, resource, lead_magnet_id).replace(id, row)

    def move(
        self,
        client_id: str,
        resource: str,
        id: str,
        to: int | None = 0,
        *,
        touch: bool = False,
        lead_magnet_id: str | None = None,
    ) -> None:
        """Move a row to a position among the others, None for the end; `touch` bumps its updated_at."""
        with self.lock:
            if touch:
                self.edit(client_id, resource, id, lead_magnet_id=lead_magnet_id)
            self._rows(client_id, resource, lead_magnet_id).move(id, to)

    def archive(self, client_id: str, lead_magnet_id: str) -> None:
        """Archive a lead magnet, as DELETE does at the vendor's."""
        if self.options.archived == "hidden":
            self.delete(client_id, "lead_magnets", lead_magnet_id)
        else:
            self.edit(client_id, "lead_magnets", lead_magnet_id, status="archived")

    def set_engagement(self, client_id: str, post_id: str, body: Any) -> None:
        """Have a post's engagement route answer this, whatever its shape."""
        with self.lock:
            self._account(client_id).bodies[post_id] = deepcopy(body)

    def set_analytics(self, client_id: str, lead_magnet_id: str, body: Any) -> None:
        """Have a lead magnet's analytics route answer this; captures are added if it is an object."""
        with self.lock:
            self._account(client_id).bodies[lead_magnet_id] = deepcopy(body)

    # Clients and keys

    def add_client(self, at: int | None = None, *, granted: bool = True) -> str:
        """Add a full client account at a position of /clients, None for the end, and return its id."""
        with self.lock:
            self._made += 1
            builder = Builder(Dice(f"{self._seed}/client/{self._made}"), self.options, self._now)
            account = builder.account(grant=f"Client {self._made}" if granted else None)
            accounts = list(self._accounts.values())
            accounts.insert(len(accounts) if at is None else at, account)
            self._accounts = {a.user_id: a for a in accounts}
            return account.user_id

    def remove_client(self, client_id: str) -> None:
        """Remove an account with all its rows."""
        with self.lock:
            del self._accounts[client_id]

    def revoke(self, client_id: str, *, forget: bool = False) -> None:
        """End the agency's grant: 403 from now on; with `forget` 404, and gone from /clients."""
        self._set_grant(client_id, "revoked", forget)

    def restore(self, client_id: str) -> None:
        """Give the agency its grant back."""
        self._set_grant(client_id, "active", False)

    def direct_key(self, client_id: str) -> str:
        """A new key of an account's owner, with all read scopes."""
        return self.add_key("direct_user", client_id)

    def add_key(
        self, actor_type: ActorType = "agency", owner: str | None = None, scopes: Iterable[str] = READ_SCOPES
    ) -> str:
        """Add a key and return its secret. The owner is an account's id, by default the agency's."""
        with self.lock:
            return self.keys.add(actor_type, self._account(owner or self.agency.user_id).user_id, scopes)

    def disable_key(self, key: str) -> None:
        """Make a key answer 401."""
        with self.lock:
            self.keys.disable(key)

    # For the server, which holds the lock

    def find_account(self, client_id: str) -> Account | None:
        return self.agency if client_id == self.agency.user_id else self._accounts.get(client_id)

    def _rows(self, client_id: str, resource: str, lead_magnet_id: str | None = None) -> Rows:
        return self._account(client_id).rows(resource, lead_magnet_id)

    def _account(self, client_id: str) -> Account:
        account = self.find_account(client_id)
        if account is None:
            raise KeyError(client_id)
        return account

    def _set_grant(self, client_id: str, status: str, hidden: bool) -> None:
        with self.lock:
            account = self._account(client_id)
            if account.grant is None:
                raise KeyError(client_id)
            account.grant |= {"status": status, "updated_at": self._tick()}
            account.hidden = hidden

    def _tick(self) -> str:
        self._now += 1
        return iso(self._now)


def demo_world() -> World:
    """The account of the demo."""
    world = World.make(clients=5, leads=800, activity=1000, posts=40, now=datetime.now(UTC))
    for n in range(people.KNOWN - 8):
        client = world.client_ids[n % 5]
        name, email, _ = people.acquaintance(n)
        world.edit(client, "leads", world.ids(client, "leads")[n], name=name, emails={"submitted": email})
    return world
