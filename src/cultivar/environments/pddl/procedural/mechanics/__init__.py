"""The mechanics, one file each, in the order in which they build: what a mechanic changes comes before it."""

from __future__ import annotations

from cultivar.environments.pddl.procedural.mechanic import Mechanic
from cultivar.environments.pddl.procedural.mechanics.approvals import Approvals
from cultivar.environments.pddl.procedural.mechanics.assembly import Assembly
from cultivar.environments.pddl.procedural.mechanics.carrying import Carrying
from cultivar.environments.pddl.procedural.mechanics.cleaning import Cleaning
from cultivar.environments.pddl.procedural.mechanics.clock import Clock
from cultivar.environments.pddl.procedural.mechanics.codes import Codes
from cultivar.environments.pddl.procedural.mechanics.containers import Containers
from cultivar.environments.pddl.procedural.mechanics.escort import Escort
from cultivar.environments.pddl.procedural.mechanics.fuel import Fuel
from cultivar.environments.pddl.procedural.mechanics.growth import Growth
from cultivar.environments.pddl.procedural.mechanics.heating import Heating
from cultivar.environments.pddl.procedural.mechanics.inspection import Inspection
from cultivar.environments.pddl.procedural.mechanics.locks import Locks
from cultivar.environments.pddl.procedural.mechanics.machine import Machine
from cultivar.environments.pddl.procedural.mechanics.marking import Marking
from cultivar.environments.pddl.procedural.mechanics.oneway import Oneway
from cultivar.environments.pddl.procedural.mechanics.paperwork import Paperwork
from cultivar.environments.pddl.procedural.mechanics.permits import Permits
from cultivar.environments.pddl.procedural.mechanics.power import Power
from cultivar.environments.pddl.procedural.mechanics.pushing import Pushing
from cultivar.environments.pddl.procedural.mechanics.queues import Queues
from cultivar.environments.pddl.procedural.mechanics.stacks import Stacks
from cultivar.environments.pddl.procedural.mechanics.stages import Stages
from cultivar.environments.pddl.procedural.mechanics.supply import Supply
from cultivar.environments.pddl.procedural.mechanics.switches import Switches
from cultivar.environments.pddl.procedural.mechanics.teamwork import Teamwork
from cultivar.environments.pddl.procedural.mechanics.tools import Tools
from cultivar.environments.pddl.procedural.mechanics.trade import Trade
from cultivar.environments.pddl.procedural.mechanics.travel import Travel
from cultivar.environments.pddl.procedural.mechanics.vehicles import Vehicles

MECHANICS: tuple[type[Mechanic], ...] = (
    Travel,
    Carrying,
    Locks,
    Switches,
    Permits,
    Codes,
    Oneway,
    Vehicles,
    Fuel,
    Containers,
    Stages,
    Machine,
    Assembly,
    Marking,
    Growth,
    Paperwork,
    Queues,
    Tools,
    Power,
    Cleaning,
    Heating,
    Supply,
    Approvals,
    Clock,
    Trade,
    Escort,
    Teamwork,
    Pushing,
    Stacks,
    Inspection,
)
