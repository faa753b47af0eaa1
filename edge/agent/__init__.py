"""The one place where real parts are named and joined: lanes, the vision supervisor, the gate process."""
