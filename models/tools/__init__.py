"""Training, export and evaluation of the models; none of it runs on a gate."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before any import of onnxruntime, as in `edge`
