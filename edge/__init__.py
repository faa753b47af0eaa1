"""barie: the agent on each barrier's PC. See docs/architecture.md for the shape of the house."""

import os

# Before anything else is imported: onnxruntime's Linux wheel has a telemetry client that is on by default, reads this
# once at its own import, and posts to its vendor otherwise (tests/site/test_site_quiet.py).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.2.0"
