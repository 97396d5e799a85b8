// The UnboundResolver target.
