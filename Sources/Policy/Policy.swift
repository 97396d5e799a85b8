// The Policy target.
