"""The pages beside the lanes, joined to the record: history, alarm list, handover, photos."""
