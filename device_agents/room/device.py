"""One device at run time: what it is, where it stands, what it has done, and what is at fault."""

import msgspec

from device_agents.config import DeviceConfig
from device_agents.devices.input import Input, Signal
from device_agents.devices.output import Memory, Output, Standing
from device_agents.room.faults import MISMATCH, RESTLESS, SENSOR, Fault
from device_agents.room.limits import Limits, Past
from shared.words.messages import By, DeviceDescription, State
from shared.words.names import SAFE_ACTIONS, Action


class Device(msgspec.Struct, kw_only=True, eq=False):
    """One device. `levels` are those written last; `moved_by` is who set it going; `locked_out` is the master user's
    word, besides the room's file. `heard` is what an input's pin became at its last edge; `deaf` is one whose pin
    cannot be read, `restless` one that does not hold still, `blurred` one of which edges were lost. `stirred_at` is
    when its pin began to change without a rest, `unsteady_at` when it last began to change after a whole second,
    `edge_at` when it last did."""

    config: DeviceConfig
    description: DeviceDescription
    state: State
    ack_topic: str
    state_topic: str
    event_topic: str
    output: Output | None = None
    standing: Standing = Standing(value=None)
    levels: dict[int, int] = {}
    limits: Limits = Limits()
    past: Past = Past(active=False, changed_at=0.0, rested_at=0.0)
    moved_by: By | None = None
    fault: Fault | None = None
    locked_out: bool = False
    input: Input | None = None
    heard: int = 0
    deaf: bool = False
    restless: bool = False
    blurred: bool = False
    stirred_at: float = 0.0
    unsteady_at: float = 0.0
    edge_at: float | None = None
    signal: Signal = Signal(value=None, level=0)

    @property
    def id(self) -> str:
        """Its name in the room."""
        return self.config.id

    @property
    def deadline(self) -> float | None:
        """When it wants its tick."""
        return self.signal.deadline if self.output is None else self.standing.deadline

    @property
    def ailment(self) -> str | None:
        """What is at fault with it, as its state names that."""
        if self.deaf:
            return SENSOR
        if self.restless:
            return RESTLESS
        return None if self.fault is None else MISMATCH

    @property
    def is_locked_out(self) -> bool:
        """Whether somebody has locked it out."""
        return self.locked_out or self.config.lockout

    def may_be_told(self, action: Action) -> bool:
        """Whether a lock-out lets this pass: only what takes the power off. What a file calls safe is not enough."""
        return not self.is_locked_out or action in SAFE_ACTIONS.get(self.config.kind, ())

    def memory(self, boot: str) -> Memory:
        """What the ledger keeps of it, for as long as the board is not restarted."""
        return Memory(
            boot=boot,
            active=self.past.active,
            changed_at=self.past.changed_at,
            rested_at=self.past.rested_at,
            deadline=self.standing.deadline,
            ready_at=self.standing.ready_at,
        )
