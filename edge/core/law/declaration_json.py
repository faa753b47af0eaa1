"""Declarations and confirmations in the shape of the outside contract (docs/protocol.md), as plain JSON. Pure."""

from __future__ import annotations

from typing import Any

from edge.core.model import Confirmation, Declaration, Transfer, Vehicle


def declaration_to_json(declaration: Declaration) -> dict[str, Any]:
    """The contract's shape of a declaration; `edge.wire.parse_declaration` of it gives the same value again."""
    transfer = declaration.transfer
    return {
        "id": declaration.id,
        "version": declaration.version,
        "state": declaration.state,
        "procedure": declaration.procedure,
        "declared_at": declaration.declared_at,
        "vehicles": [_vehicle_json(vehicle) for vehicle in declaration.vehicles],
        "requires": dict(declaration.requires),
        "goods": [dict(row) for row in declaration.goods],
        "declarant": dict(declaration.declarant),
        "customs_declaration": dict(declaration.customs_declaration),
        "transfer": None if transfer is None else _transfer_json(transfer),
        "confirmations": [confirmation_to_json(confirmation) for confirmation in declaration.confirmations],
    }


def confirmation_to_json(confirmation: Confirmation) -> dict[str, Any]:
    """The contract's shape of a confirmation; `plate` only where it speaks of one vehicle."""
    row = {
        "step": confirmation.step,
        "authority": confirmation.authority,
        "act": confirmation.act,
        "at": confirmation.at,
        "by": confirmation.by,
        "via": confirmation.via,
    }
    return row if confirmation.plate is None else {**row, "plate": confirmation.plate}


def _vehicle_json(vehicle: Vehicle) -> dict[str, Any]:
    driver = None
    if vehicle.driver_name is not None or vehicle.driver_phone is not None:
        driver = {"name": vehicle.driver_name, "phone": vehicle.driver_phone}
    row: dict[str, Any] = {
        "role": vehicle.role,
        "plate": vehicle.plate,
        "country": vehicle.country,
        "class": vehicle.vehicle_class,
        "container": vehicle.container,
        "seal": vehicle.seal,
        "driver": driver,
    }
    permit = {"number": vehicle.permit_no, "valid_until": vehicle.permit_until}
    more = {
        "trip": vehicle.trip,
        "permit": permit if any(permit.values()) else None,
        "chassis": vehicle.chassis,
        "unit_no": vehicle.unit_no,
    }
    row |= {key: value for key, value in more.items() if value is not None}
    return row


def _transfer_json(transfer: Transfer) -> dict[str, Any]:
    return {
        "record_no": transfer.record_no,
        "record_date": transfer.record_date,
        "sent_by": transfer.sent_by,
        "received_by": transfer.received_by,
        "seals": list(transfer.seals),
        "route": list(transfer.route),
        "deadline": transfer.deadline,
        "monitored": transfer.monitored,
    }
