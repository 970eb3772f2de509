"""A simulated Leadron API over real HTTP on loopback: `with Sandbox(World.make()) as sandbox:`.

Truthful where the API reference speaks: keys of both environments, envelopes, encoded ids, errors, and a rate limit
that is enforced (`rate_limit=Window(60, seconds=1.0)` makes a minute a second). Where it is silent, `Paging`, the
switches of `World` and `Behaviour` say.
"""

from typing import Any, ClassVar

from sources.core.simulator.answers import BeforeList
from sources.core.simulator.behaviour import Behaviour
from sources.core.simulator.churn import Churn
from sources.core.simulator.faults import Fault
from sources.core.simulator.pacing import Window
from sources.core.simulator.sandbox import Sandbox as AnySandbox
from sources.core.simulator.sandbox import serve

from .api import Api
from .world import Paging, Usage, World, demo_world

__all__ = [
    "Behaviour",
    "Churn",
    "Fault",
    "Paging",
    "Sandbox",
    "Usage",
    "Window",
    "World",
    "demo_world",
    "serve",
]


class Sandbox(AnySandbox[World]):
    """A simulated Leadron API; `before_each` tells of lists by the tenant and their resource."""

    base_path = "/v1"
    settings: ClassVar[dict[str, Any]] = {}
    """What reading it takes beside a key and a base URL."""

    def __init__(self, world: World | None = None, **options: Any) -> None:
        super().__init__(world or World.make(), **options)

    def make_api(self, before_list: BeforeList) -> Api:
        return Api(self.world, before_list, self.behaviour)
