"""Alarms, pure: their states (ISA-18.2) and what raises them."""
