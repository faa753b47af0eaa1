"""The topics of one site (docs/protocol.md), as names and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    site: str

    @property
    def root(self) -> str:
        return f"ckso/v1/{self.site}"

    @property
    def declarations(self) -> str:
        return f"{self.root}/declaration/+"

    @property
    def watchlist(self) -> str:
        return f"{self.root}/watchlist"

    @property
    def watchlist_pieces(self) -> str:
        return f"{self.root}/watchlist/+"

    def declaration(self, declaration_id: str) -> str:
        return f"{self.root}/declaration/{declaration_id}"

    def command(self, lane: str) -> str:
        return f"{self.root}/{lane}/command"

    @property
    def centre(self) -> str:
        """Whether the centre is there, by its own word."""
        return f"{self.root}/centre"

    def peer(self, lane: str, declaration_id: str) -> str:
        """What this gate confirmed of it, for the other gates of the site."""
        return f"{self.root}/{lane}/peer/{declaration_id}"

    @property
    def peers(self) -> str:
        return f"{self.root}/+/peer/+"

    def evidence_ack(self, lane: str) -> str:
        return f"{self.root}/{lane}/evidence_ack"

    def ack(self, lane: str) -> str:
        return f"{self.root}/{lane}/ack"

    def event(self, lane: str) -> str:
        return f"{self.root}/{lane}/event"

    def evidence(self, lane: str, event_id: str) -> str:
        return f"{self.root}/{lane}/evidence/{event_id}"

    def status(self, lane: str) -> str:
        return f"{self.root}/{lane}/status"

    def refused(self, lane: str) -> str:
        return f"{self.root}/{lane}/refused"

    def echo(self, lane: str) -> str:
        """The gate's own topic to itself: what comes back on it came behind everything that was sent before."""
        return f"{self.root}/{lane}/echo"

    def wanted(self, lanes: Sequence[str]) -> list[tuple[str, bool]]:
        """What a gate subscribes to, in this order, and whether it wants to know what was retained."""
        own = [pair for lane in lanes for pair in ((self.command(lane), True), (self.ack(lane), False))]
        lists = [(self.watchlist_pieces, False), (self.watchlist, False)]
        return [*own, (self.echo(lanes[0]), False), *lists, (self.declarations, False), *self.newer(lanes)]

    def newer(self, lanes: Sequence[str]) -> list[tuple[str, bool]]:
        """The part of `wanted` that a broker set up for an older gate may refuse: the gate works without it."""
        return [*((self.evidence_ack(lane), False) for lane in lanes), (self.peers, False), (self.centre, False)]

    def parse(self, topic: str) -> tuple[str, str]:
        """(kind, name): ("declaration", id), ("watchlist", ""), ("event", lane), … ; ("", "") for any other topic."""
        if not topic.startswith(f"{self.root}/"):
            return "", ""
        parts = topic[len(self.root) + 1 :].split("/")
        if parts in (["watchlist"], ["centre"]):
            return parts[0], ""
        if len(parts) == 2 and parts[0] == "watchlist" and parts[1].isascii() and parts[1].isdecimal():
            return "watchlist", parts[1]
        if len(parts) == 2 and parts[0] == "declaration":
            return "declaration", parts[1]
        if len(parts) == 2 and parts[1] in ("command", "ack", "event", "evidence_ack", "status", "echo", "refused"):
            return parts[1], parts[0]
        if len(parts) == 3 and parts[1] in ("evidence", "peer"):
            return parts[1], parts[0]
        return "", ""
