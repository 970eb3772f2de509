"""A simulated LeadPanther API over real HTTP on loopback, for the demo, tests and benchmarks.

`with Sandbox(World.make(clients=2)) as sandbox:` and then `sandbox.base_url`, `sandbox.world.agency_key`.
"""

from typing import Any, ClassVar

from sources.core.simulator.answers import BeforeList
from sources.core.simulator.behaviour import Behaviour
from sources.core.simulator.churn import Churn
from sources.core.simulator.faults import Fault
from sources.core.simulator.pacing import Load, RateLimit
from sources.core.simulator.sandbox import Request, serve
from sources.core.simulator.sandbox import Sandbox as AnySandbox

from .api import Api
from .routes import BASE_PATH
from .world import World, demo_world

__all__ = [
    "Behaviour",
    "Churn",
    "Fault",
    "Load",
    "RateLimit",
    "Request",
    "Sandbox",
    "World",
    "demo_world",
    "serve",
]


class Sandbox(AnySandbox[World]):
    """A simulated LeadPanther API; `before_each` tells of /clients as the list "clients" of the client "", and of
    the captures in a lead magnet's analytics as "captures/<lead magnet id>"."""

    base_path = BASE_PATH
    settings: ClassVar[dict[str, Any]] = {}
    """What reading it takes beside a key and a base URL."""

    def __init__(self, world: World | None = None, **options: Any) -> None:
        super().__init__(world or World.make(), **options)

    def make_api(self, before_list: BeforeList) -> Api:
        return Api(self.world, before_list, self.behaviour)
