// The IMAPCore target.
