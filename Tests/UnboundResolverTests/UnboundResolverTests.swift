// Tests of UnboundResolver.
