// The Tags target.
