"""A simulated LeadPanther API over real HTTP on loopback, for the demo, tests and benchmarks.

`with Sandbox(World.make(clients=2)) as sandbox:` and then `sandbox.base_url`, `sandbox.world.agency_key`.
"""

from .churn import Churn
from .faults import Fault
from .pacing import Load, RateLimit
from .sandbox import Request, Sandbox, serve
from .world import World, demo_world

__all__ = ["Churn", "Fault", "Load", "RateLimit", "Request", "Sandbox", "World", "demo_world", "serve"]
